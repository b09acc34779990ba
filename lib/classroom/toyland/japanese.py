"""Scenes told in Japanese, in the polite past of picture books.

Who is clear from the line before is not named again, as Japanese does where English has a pronoun; an
object that is known is その凧, "that kite".
"""

from __future__ import annotations

from classroom.toyland.lexicon import Character
from classroom.toyland.passage import Passage, join
from classroom.toyland.plan import Line, Plan, plan
from classroom.toyland.scene import Scene, Thing

_CONNECTORS = ("それから、", "そのあと、", "やがて、", "でも、", "")
_STATIC_VERBS = ("隠しました",)  # what stays somewhere takes に; what happens somewhere takes で


def sentence(scene: Scene) -> Passage:
    """Tell the action of a scene in one sentence."""
    telling = plan(scene)
    hero, one = who(scene.hero), scene.time.ja_one
    spot = f"{scene.place.ja}の{where(scene.thing)}{_particle(scene)}"
    friend = who(scene.friend) if scene.friend else None
    done = did(scene, telling.detail, friend)
    wordings = (
        f"{one}、{hero}は{spot}{done}。",
        f"{hero}は{one}、{spot}{done}。",
        f"{spot}、{hero}は{done}。",
        f"{one}、{spot}、{hero}は{done}。",
    )
    return Passage(wordings[telling.sentence])


def story(scene: Scene) -> Passage:
    """Tell a scene as a story of three to eight sentences (no spaces between them)."""
    return join(story_sentences(scene))


def story_sentences(scene: Scene) -> tuple[Passage, ...]:
    """Tell a scene as a story, sentence by sentence."""
    telling = plan(scene)
    return tuple(Passage(_line(scene, telling, line)) for line in telling.lines)


def _line(scene: Scene, telling: Plan, line: Line) -> str:
    if line.kind == "setting":
        return _setting(scene, line.pattern)
    if line.kind == "other":
        other = scene.things[1]
        return f"{where(other)}に{a_thing(other, telling.detail)}がありました。"
    if line.kind == "arrival" and scene.friend:
        friend = who(scene.friend)
        return (f"{friend}もいました。", f"そこへ{friend}がやって来ました。")[line.pattern]
    topic = f"{line.subject.ja}は" if line.subject and line.named else ""
    if line.kind == "action":
        friend_name = scene.friend.ja if scene.friend else None
        done = did(scene, telling.detail, friend_name)
        return f"{topic}{where(scene.thing)}{_particle(scene)}{done}。"
    if line.beat and line.subject:
        predicate = line.beat.ja.format(it=f"その{scene.thing.noun.ja}")
        subject = f"{line.subject.ja}{predicate}" if line.named else predicate[1:]
        return f"{_CONNECTORS[line.pattern]}{subject}。"
    return f"{('最後に、', '')[line.pattern]}{topic}{scene.mood.ja}。"


def _setting(scene: Scene, pattern: int) -> str:
    hero, place, time = who(scene.hero), scene.place.ja, scene.time
    wordings = (
        f"{time.ja_one}、{hero}は{place}にいました。",
        f"{hero}は{place}で{time.ja}を過ごしていました。",
        f"それは{time.ja_one}のことで、{hero}は{place}にいました。",
    )
    return wordings[pattern]


def _particle(scene: Scene) -> str:
    return "に" if scene.action.ja.endswith(_STATIC_VERBS) else "で"


def who(character: Character) -> str:
    """Return ねずみのニナ."""
    return f"{character.kind.ja}の{character.ja}"


def where(thing: Thing) -> str:
    """Return 木のそば."""
    return f"{thing.landmark.noun.ja}{thing.relation.ja}"


def did(scene: Scene, detail: int, friend: str | None) -> str:
    """Return オットーに小さな赤い凧をあげました."""
    action = scene.action
    words = f"{a_thing(scene.thing, detail)}{action.ja}"
    return f"{friend}{action.ja_friend}{words}" if action.needs_friend else words


def a_thing(thing: Thing, detail: int) -> str:
    """Return 小さな赤くて丸い凧: adjectives in い are linked by their te-form."""
    shape = thing.shape.ja
    colour = thing.colour.ja_linked if detail == 2 and shape.endswith("い") else thing.colour.ja
    return "".join((thing.size.ja if detail else "", colour, shape if detail == 2 else "", thing.noun.ja))
