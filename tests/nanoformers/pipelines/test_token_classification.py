"""Token classification: labels of tokens, entities, words, long texts."""

from __future__ import annotations

import warnings

import nanoformers
import pytest
from nanoformers import pipeline
from nanoformers.pipelines import AggregationStrategy
from nanoformers.pipelines.entities import best_of_overlapping

LABELS = ["O", "B-ANI", "I-ANI", "B-PLA", "I-PLA"]
OTHERS = ["the", "a", "sat", "ran", "on", "under", "and", "[UNK]"]
TABLE = {
    **{word: {"O": 5.0} for word in OTHERS},
    "cat": {"B-ANI": 5.0},
    "dog": {"B-ANI": 5.0},
    "good": {"I-ANI": 5.0},
    "mat": {"B-PLA": 5.0},
    "tree": {"I-PLA": 5.0},
    # parts of a word that do not agree: "xyz"
    "x": {"B-ANI": 3.0, "B-PLA": 2.0},
    "##y": {"B-PLA": 4.0},
    "##z": {"B-PLA": 3.5, "B-ANI": 1.0},
}


@pytest.fixture(scope="module")
def model(make_tagger):
    return make_tagger("BertForTokenClassification", TABLE, LABELS)


@pytest.fixture(scope="module")
def tagger(model, tokenizer):
    return pipeline("ner", model=model, tokenizer=tokenizer)


@pytest.fixture(scope="module")
def slow_tagger(model, tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    tokenizer.save_pretrained(folder)
    return pipeline("ner", model, tokenizer=nanoformers.BertTokenizer.from_pretrained(folder))


def names(entities):
    return [(entity.get("entity_group", entity.get("entity")), entity["word"]) for entity in entities]


class TestTokens:
    def test_the_task_has_two_names(self, tagger):
        assert isinstance(tagger, nanoformers.TokenClassificationPipeline)
        assert nanoformers.NerPipeline is nanoformers.TokenClassificationPipeline

    def test_one_answer_for_each_token_with_a_label(self, tagger):
        first, second = tagger("the cat sat on the mat")
        assert first.pop("score") == pytest.approx(0.97, abs=0.01)
        assert first == {"entity": "B-ANI", "index": 2, "word": "cat", "start": 4, "end": 7}
        assert (second["entity"], second["index"], second["start"]) == ("B-PLA", 6, 19)

    def test_labels_to_leave_out(self, tagger):
        assert names(tagger("the cat", ignore_labels=[])) == [("O", "the"), ("B-ANI", "cat")]
        assert names(tagger("the cat mat", ignore_labels=["O", "B-ANI"])) == [("B-PLA", "mat")]

    def test_an_unknown_token_is_spelled_as_in_the_text(self, tagger):
        assert names(tagger("the 東 cat", ignore_labels=[]))[1] == ("O", "東")

    def test_nothing_to_label(self, tagger):
        assert tagger("") == []
        assert tagger("", aggregation_strategy="first") == []

    def test_a_list_gives_lists(self, tagger):
        assert [names(answer) for answer in tagger(["the cat", "a"])] == [[("B-ANI", "cat")], []]

    @pytest.mark.parametrize("inputs", [[], None, 3])
    def test_no_input(self, tagger, inputs):
        with pytest.raises(ValueError, match="At least one input is required"):
            tagger(inputs)

    def test_a_generator(self, tagger):
        answers = tagger(text for text in ["the cat", "the mat"])
        assert [names(answer) for answer in answers] == [[("B-ANI", "cat")], [("B-PLA", "mat")]]


class TestEntities:
    @pytest.mark.parametrize(("text", "expected"), [
        ("the cat good good sat", [("ANI", "cat good good")]),
        ("cat dog", [("ANI", "cat"), ("ANI", "dog")]),
        ("cat tree", [("ANI", "cat"), ("PLA", "tree")]),
        ("good cat", [("ANI", "good"), ("ANI", "cat")]),
        ("tree the tree", [("PLA", "tree"), ("PLA", "tree")]),
    ])  # fmt: skip
    def test_neighbours_with_the_same_tag_are_one(self, tagger, text, expected):
        assert names(tagger(text, aggregation_strategy="simple")) == expected

    def test_an_entity_has_the_mean_score_and_the_characters_from_start_to_end(self, tagger):
        text = "the cat good"
        (entity,) = tagger(text, aggregation_strategy="simple")
        tokens = tagger(text)
        assert entity["score"] == pytest.approx(sum(token["score"] for token in tokens) / 2)
        assert text[entity["start"] : entity["end"]] == "cat good"
        assert set(entity) == {"entity_group", "score", "word", "start", "end"}

    def test_labels_to_leave_out_have_no_prefix(self, tagger):
        answers = tagger("cat the mat", aggregation_strategy="simple", ignore_labels=["ANI"])
        assert names(answers) == [("O", "the"), ("PLA", "mat")]

    def test_simple_divides_words(self, tagger):
        words = names(tagger("the xyz", aggregation_strategy="simple"))
        assert words == [("ANI", "x"), ("PLA", "##y"), ("PLA", "##z")]

    @pytest.mark.parametrize(
        ("strategy", "group"), [("first", "ANI"), ("average", "PLA"), ("max", "PLA"), ("FIRST", "ANI")]
    )
    def test_words_have_one_label(self, tagger, strategy, group):
        (entity,) = tagger("the xyz", aggregation_strategy=strategy)
        assert (entity["entity_group"], entity["word"]) == (group, "xyz")
        assert (entity["start"], entity["end"]) == (4, 7)

    def test_the_enumeration_is_accepted(self, tagger):
        answer = tagger("the xyz", aggregation_strategy=AggregationStrategy.MAX)
        assert answer == tagger("the xyz", aggregation_strategy="max")

    def test_an_unknown_strategy(self, tagger):
        with pytest.raises(ValueError, match="choose one of 'none', 'simple'"):
            tagger("the cat", aggregation_strategy="most")

    @pytest.mark.parametrize(("older", "newer"), [
        ({"grouped_entities": True}, "simple"),
        ({"grouped_entities": True, "ignore_subwords": True}, "first"),
        ({"grouped_entities": False}, "none"),
    ])  # fmt: skip
    def test_older_spellings(self, tagger, older, newer):
        with pytest.warns(UserWarning, match=f'aggregation_strategy="{newer}"'):
            answer = tagger("the xyz", **older)
        assert answer == tagger("the xyz", aggregation_strategy=newer)

    def test_a_tokenizer_without_parts_of_words(self, make_tagger, words_tokenizer):
        config = nanoformers.BertConfig(
            vocab_size=len(words_tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=1
        )
        model = nanoformers.BertForTokenClassification(config)
        tagger = pipeline("ner", model, tokenizer=words_tokenizer, ignore_labels=[])
        with pytest.warns(UserWarning, match="does not support real words"):
            answers = tagger("the cat.", aggregation_strategy="first")
        assert answers[-1]["end"] == 8


class TestLongTexts:
    TEXT = "the cat sat on the mat and " * 20

    def test_without_a_stride_a_text_is_cut(self, tagger):
        assert max(token["index"] for token in tagger(self.TEXT)) < 63

    @pytest.mark.parametrize("stride", [0, 7, 40])
    def test_with_a_stride_all_of_it_is_read_once(self, tagger, stride):
        entities = tagger(self.TEXT, aggregation_strategy="simple", stride=stride)
        assert names(entities) == [("ANI", "cat"), ("PLA", "mat")] * 20
        assert all(self.TEXT[e["start"] : e["end"]] == e["word"] for e in entities)

    def test_of_overlapping_entities_the_longer_then_the_more_certain_stays(self):
        spans = [(0, 5, 0.9), (3, 9, 0.5), (10, 12, 0.4), (10, 12, 0.6), (12, 14, 0.1)]
        entities = [{"start": start, "end": end, "score": score} for start, end, score in spans]
        assert best_of_overlapping(entities) == [entities[1], entities[3], entities[4]]

    @pytest.mark.parametrize(("arguments", "said"), [
        ({"stride": 64, "aggregation_strategy": "simple"}, "must be less than"),
        ({"stride": 5, "aggregation_strategy": "none"}, "please select another one"),
    ])  # fmt: skip
    def test_strides_that_cannot_be(self, tagger, arguments, said):
        with pytest.raises(ValueError, match=said):
            tagger("the cat", **arguments)


class TestPythonTokenizers:
    def test_where_a_token_is_remains_unknown(self, slow_tagger):
        (token,) = slow_tagger("the cat")
        assert (token["word"], token["start"], token["end"]) == ("cat", None, None)

    def test_a_caller_may_know(self, slow_tagger):
        (token,) = slow_tagger("the cat", offset_mapping=[(0, 0), (0, 3), (4, 7), (0, 0)])
        assert (token["start"], token["end"]) == (4, 7)

    def test_a_mapping_for_each_text(self, slow_tagger):
        mappings = [[(0, 0), (0, 3), (4, 7), (0, 0)], [(0, 0), (0, 3), (0, 0)]]
        answers = slow_tagger(["the cat", "dog"], offset_mapping=mappings, batch_size=2)
        assert [(answer[0]["start"], answer[0]["end"]) for answer in answers] == [(4, 7), (0, 3)]

    @pytest.mark.parametrize(("texts", "mapping", "said"), [
        (["the cat", "dog"], [[(0, 0)]], "same batch size"),
        ("the cat", [(0, 3), (4, 7)], "special tokens included"),
    ])  # fmt: skip
    def test_mappings_that_do_not_fit(self, slow_tagger, texts, mapping, said):
        with pytest.raises(ValueError, match=said):
            slow_tagger(texts, offset_mapping=mapping)

    @pytest.mark.parametrize(("arguments", "said"), [
        ({"aggregation_strategy": "first"}, "Slow tokenizers cannot handle subwords"),
        ({"aggregation_strategy": "simple", "stride": 3}, "use a fast tokenizer"),
    ])  # fmt: skip
    def test_what_needs_a_fast_one(self, slow_tagger, arguments, said):
        with pytest.raises(ValueError, match=said):
            slow_tagger("the cat", **arguments)


class TestWords:
    def test_the_characters_are_those_of_the_words_joined(self, tagger):
        words = ["the", "cat", "xyz"]
        ((*answers,),) = tagger(words, is_split_into_words=True, aggregation_strategy="first")
        text = " ".join(words)
        assert [text[a["start"] : a["end"]] for a in answers] == ["cat", "xyz"]

    def test_another_delimiter(self, tagger):
        ((answer,),) = tagger([["the", "cat"]], is_split_into_words=True, delimiter=" - ")
        assert (answer["start"], answer["end"]) == (6, 9)

    @pytest.mark.parametrize(("split", "inputs"), [(True, "the cat"), (False, [["the", "cat"]])])
    def test_one_for_the_other(self, tagger, split, inputs):
        with pytest.raises(ValueError, match="is_split_into_words="):
            tagger(inputs, is_split_into_words=split)


@pytest.mark.parametrize("strategy", list(AggregationStrategy))
@pytest.mark.parametrize("side", ["left", "right"])
def test_answers_do_not_depend_on_the_batch_size(make_model, make_tokenizer, texts, strategy, side):
    model = make_model("BertForTokenClassification", num_labels=3)
    tagger = pipeline("ner", model, tokenizer=make_tokenizer(padding_side=side), ignore_labels=[])
    expected = tagger(texts, aggregation_strategy=strategy)
    for answers, one_by_one in zip(
        tagger(texts, aggregation_strategy=strategy, batch_size=7), expected, strict=True
    ):
        scores = [answer.pop("score") for answer in one_by_one]
        assert [answer.pop("score") for answer in answers] == pytest.approx(scores, abs=1e-5)
        assert answers == one_by_one


def test_a_worker_process_can_prepare_texts(tagger, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    texts = ["the cat", "the mat and the xyz"]
    arguments = {"aggregation_strategy": "first"}
    assert tagger(texts, num_workers=1, **arguments) == tagger(texts, **arguments)


def test_no_warning_for_tokenizers_that_know_words(tagger):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tagger("the xyz", aggregation_strategy="first")
