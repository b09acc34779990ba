from __future__ import annotations

from collections import Counter
from itertools import pairwise

from classroom.toyland import scenes, story_objection
from classroom.toyland.lexicon import COLOURS, MOODS, PLACES, SHAPES, TIMES
from classroom.toyland.views import entailment, entities, intents, sentiment

WORLD = scenes(3_000, seed=1)


def assert_balanced(labels: list[str], expected: tuple[str, ...]) -> None:
    counts = Counter(labels)
    assert set(counts) == set(expected)
    assert min(counts.values()) > 0.8 * len(labels) / len(expected)


class TestQuestions:
    def test_every_span_is_exact(self) -> None:
        for scene in WORLD:
            story = scene.story()
            for question in scene.questions():
                assert question.context == story
                assert question.context[question.start : question.end] == question.answer
                assert question.answer

    def test_answers_are_the_facts_of_the_scene(self) -> None:
        for scene in WORLD[:500]:
            answers = {question.question: question.answer for question in scene.questions()}
            thing, name = scene.thing, scene.hero.name
            assert answers[f"What kind of animal is {name}?"] == scene.hero.kind.en
            assert answers["What time of day was it?"] == scene.time.en
            assert answers[f"How did {name} feel in the end?"] == scene.mood.en
            assert answers[f"What colour was the {thing.name}?"] == thing.colour.en
            assert answers[f"Where was {name}?"] == f"{scene.place.en} the {scene.place.noun.en}"
            if scene.friend:
                assert answers[f"Who else was there besides {name}?"] == scene.friend.name
            if len(scene.things) == 2:
                other = scene.things[1]
                assert answers[f"Where was the {other.name}?"].endswith(f"the {other.landmark.noun.en}")

    def test_there_are_seven_to_twelve_different_ones(self) -> None:
        for scene in WORLD:
            asked = [question.question for question in scene.questions()]
            assert len(set(asked)) == len(asked)
            assert 7 <= len(asked) <= 12


class TestEntities:
    def test_tags_are_well_formed(self) -> None:
        for scene in WORLD:
            tagged = scene.entities()
            assert len(tagged.tokens) == len(tagged.tags) == len(tagged.offsets)
            for before, tag in zip(("O", *tagged.tags), tagged.tags, strict=False):
                assert tag in entities.TAGS
                if tag.startswith("I-"):
                    assert before in (f"B-{tag[2:]}", tag)

    def test_offsets_point_to_the_tokens(self) -> None:
        for scene in WORLD:
            tagged = scene.entities()
            for token, (start, end) in zip(tagged.tokens, tagged.offsets, strict=True):
                assert tagged.text[start:end] == token

    def test_names_places_and_objects_are_tagged(self) -> None:
        tagged = entities.tag(_passage("Nina"))
        assert dict(zip(tagged.tokens, tagged.tags, strict=True))["Nina"] == "B-PER"
        seen = {tag for scene in WORLD for tag in scene.entities().tags}
        assert seen == set(entities.TAGS) - {"I-PER", "I-ANIMAL", "I-LOC", "I-TIME"}


def _passage(name: str):
    from classroom.toyland import english

    return english.sentence(next(scene for scene in WORLD if scene.hero.name == name))


class TestSentiment:
    def test_labels_are_balanced(self) -> None:
        assert_balanced([scene.sentiment().label for scene in WORLD], sentiment.LABELS)

    def test_the_label_is_the_outcome(self) -> None:
        assert all(scene.sentiment().label == scene.outcome for scene in WORLD)

    def test_a_single_word_does_not_decide(self) -> None:
        labels = {scene.sentiment().label for scene in WORLD if "boring" in scene.sentiment().text}
        assert labels == {"negative", "positive"}

    def test_articles_fit(self) -> None:
        for scene in WORLD:
            words = f"{scene.sentiment().text} {scene.intent().text}".split()
            for article, word in pairwise(words):
                if article in ("a", "an"):
                    assert (article == "an") == (word[0] in "aeiou"), words


class TestIntent:
    def test_labels_are_balanced(self) -> None:
        assert_balanced([scene.intent().label for scene in WORLD], intents.LABELS)

    def test_requests_are_sentences(self) -> None:
        for scene in WORLD:
            text = scene.intent().text
            assert text[0].isupper()
            assert text[-1] in ".?"
            assert "{" not in text

    def test_no_request_has_two_intents(self) -> None:
        labels: dict[str, str] = {}
        for scene in WORLD:
            request = scene.intent()
            assert labels.setdefault(request.text, request.label) == request.label


class TestEntailment:
    WORDS = (
        ("colour", {colour.en for colour in COLOURS}),
        ("shape", {shape.en for shape in SHAPES}),
        ("place", {place.noun.en for place in PLACES}),
        ("time", {time.en for time in TIMES}),
        ("mood", {mood.en for mood in MOODS}),
    )

    def test_labels_are_balanced(self) -> None:
        assert_balanced([scene.entailment().label for scene in WORLD], entailment.LABELS)

    def test_labels_follow_from_the_words(self) -> None:
        for scene in WORLD:
            pair = scene.entailment()
            told, claimed = _words(pair.premise), _words(pair.hypothesis)
            vocabulary = next(words for _, words in self.WORDS if claimed & words)
            known = told & vocabulary
            if not known:
                assert pair.label == "neutral", pair
            else:
                same = claimed & vocabulary == known
                assert pair.label == ("entailment" if same else "contradiction"), pair

    def test_a_hypothesis_alone_says_nothing(self) -> None:
        labels: dict[str, set[str]] = {}
        for scene in WORLD:
            pair = scene.entailment()
            labels.setdefault(pair.hypothesis.split(" ", 1)[1], set()).add(pair.label)
        frequent = [found for found in labels.values() if len(found) == 3]
        assert len(frequent) > 0.6 * len(labels)


def _words(text: str) -> set[str]:
    return set(text.lower().replace(",", "").replace(".", "").split())


class TestEndings:
    def test_labels_are_balanced(self) -> None:
        assert_balanced([str(scene.endings().label) for scene in WORLD], ("0", "1", "2", "3"))

    def test_the_right_ending_is_the_one_that_was_told(self) -> None:
        for scene in WORLD:
            asked = scene.endings()
            opening = f"{asked.sent1} {asked.sent2} {asked.endings[asked.label]}"
            assert scene.story().startswith(opening)

    def test_the_world_refuses_every_wrong_one(self) -> None:
        for scene in WORLD[:600]:
            asked, story = scene.endings(), scene.story()
            right = f"{asked.sent2} {asked.endings[asked.label]}"
            for ending in set(asked.endings) - {asked.endings[asked.label]}:
                changed = story.replace(right, f"{asked.sent2} {ending}", 1)
                assert story_objection(changed), changed

    def test_four_different_ones_of_one_kind(self) -> None:
        moods = {f"{mood.en}." for mood in MOODS}
        for scene in WORLD:
            choices = set(scene.endings().endings)
            assert len(choices) == 4
            assert choices <= moods or not choices & moods

    def test_an_ending_alone_decides_in_few_cases(self) -> None:
        asked = [scene.endings() for scene in WORLD]
        offered = Counter(ending for one in asked for ending in one.endings)
        right = Counter(one.endings[one.label] for one in asked)

        def best_guess(choices: tuple[str, ...]) -> int:
            return max(range(4), key=lambda number: right[choices[number]] / offered[choices[number]])

        guessed = sum(best_guess(one.endings) == one.label for one in asked)
        assert guessed < 0.45 * len(asked)


def test_headlines_name_hero_deed_and_object() -> None:
    for scene in WORLD[:500]:
        headline = scene.headline()
        assert scene.hero.name in headline
        assert scene.action.en_present.title() in headline
        assert f"{scene.thing.colour.en} {scene.thing.name}".title() in headline


def test_captions_tell_what_can_be_seen() -> None:
    for scene in WORLD[:500]:
        caption = scene.caption()
        assert scene.place.noun.en in caption
        assert scene.hero.name not in caption
        for thing in scene.things:
            assert thing.colour.en in caption
            assert thing.shape.en in caption
