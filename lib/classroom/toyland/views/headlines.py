"""Headlines: the story as a newspaper would sum it up (hero, deed, object, place, and how it turned out)."""

from __future__ import annotations

from classroom.toyland.scene import Scene

_TURNS = {
    "positive": "All Ends Well",
    "neutral": "Life Goes On",
    "negative": "Hearts Sink",
}


def headline(scene: Scene) -> str:
    """Return a headline of the story, in title case.

    >>> from classroom.toyland import World
    >>> headline(World(0).scene(1))
    'Evening in the Garden: Mila Breaks Blue Medal, All Ends Well'
    """
    return scene.dice("headline").choice(headlines(scene))


def headlines(scene: Scene) -> tuple[str, ...]:
    """Return every headline that the story may have: all of them are right."""
    thing = f"{scene.thing.colour.en} {scene.thing.name}".title()
    deed = f"{scene.hero.name} {scene.action.en_present.title()} {thing}"
    if scene.action.needs_friend and scene.friend:
        deed += f" {scene.action.en_friend} {scene.friend.name}"
    place = f"{scene.place.en} the {scene.place.noun.en.title()}"
    turn = _TURNS[scene.outcome]
    return (
        f"{deed} {place}, Ends Up {scene.mood.en.title()}",
        f"{scene.time.en.title()} {place}: {deed}, {turn}",
        f"{turn} as {deed}",
    )
