"""Exercises of notebook 00: welcome."""

from __future__ import annotations

from classroom.exercises import Wrong, exercise

CORPUS = "nanoformers/rated-sentences"
CLASSIFIER = "nanoformers/sentiment-bert-tiny"


@exercise(
    "00.1",
    "Which is the first scene of seed 7 whose hero is proud in the end?",
    hints=[
        "World(7) can be iterated over: it gives scene after scene, without end.",
        "scene.mood.en is the mood as an English word.",
        'next(i for i, scene in enumerate(World(7)) if scene.mood.en == "proud")',
    ],
)
def first_proud_scene(answer: int) -> str:
    """The index of the first proud hero."""
    from classroom.toyland import World

    number = int(answer)
    if number < 0:
        raise Wrong("Scenes are counted from 0.")
    world = World(7)
    scene = world.scene(number)
    if scene.mood.en != "proud":
        raise Wrong(f"In scene {number}, {scene.hero.name} is {scene.mood.en}.")
    earlier = [index for index in range(number) if world.scene(index).mood.en == "proud"]
    if earlier:
        raise Wrong(f"The hero of scene {number} is proud, but so is one before.")
    return f"{scene.sentence()} Every reader finds the same: scenes depend on the seed alone."


@exercise(
    "00.2",
    "Which sentence do people like that the classifier calls NEGATIVE?",
    hints=[
        "Collect the texts of the rows of `corpus` whose rating is at least 1, then classify them all.",
        "classify(list) gives one result for each text, in order: walk through both with zip.",
        'next(text for text, result in zip(liked, classify(liked)) if result["label"] == "NEGATIVE")',
    ],
)
def misjudged_sentence(answer: str) -> str:
    """A sentence of the data set, rated at least +1, that the default classifier gets wrong."""
    from datasets import load_dataset
    from nanoformers import pipeline

    if not isinstance(answer, str):
        raise Wrong("Give the text of the sentence.")
    rows = load_dataset(CORPUS, split="test").filter(lambda row: row["text"] == answer)
    if not len(rows):
        raise Wrong("That text is not among the sentences, at least not letter by letter.")
    rating = rows[0]["rating"]
    if rating < 1:
        raise Wrong(f"People rated it {rating:+.1f}; at least +1 is asked for.")
    result = pipeline("sentiment-analysis", model=CLASSIFIER)(answer)[0]
    if result["label"] != "NEGATIVE":
        raise Wrong(f"The classifier is right about it: {result['label']}.")
    return (
        f"People gave it {rating:+.1f}, the model is {result['score']:.0%} sure of the opposite. "
        "Reading what a model gets wrong tells more than its accuracy."
    )


@exercise(
    "00.3",
    "What is the cosine similarity of a sentence with itself?",
    hints=[
        "How long are the vectors that `embed` returns?",
        "The dot product of a vector with itself is its length, squared.",
    ],
)
def similarity_with_itself(answer: float) -> str:
    """One, within rounding."""
    value = float(answer)
    if abs(value - 1) < 1e-4:
        return "Every vector has length 1 and points exactly where it points itself."
    if abs(value) < 1e-4:
        raise Wrong("0 would mean that the two have nothing in common.")
    raise Wrong("Think of two arrows of length 1 that lie on top of each other.")
