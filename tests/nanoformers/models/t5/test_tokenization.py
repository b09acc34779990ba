"""T5's tokenizers: pieces, sentinels, and that the one over sentencepiece and the fast one agree."""

from __future__ import annotations

import io
import json
import pickle

import pytest
import sentencepiece
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nanoformers import AutoTokenizer, T5Tokenizer, T5TokenizerFast
from nanoformers.convert_slow_tokenizer import convert_slow_tokenizer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

CORPUS = [
    "translate English to French: the little red house is near the sea.",
    "la petite maison rouge est près de la mer, où l'été s'achève.",
    "summarize: the dog and the cat walk to the house and sleep.",
    "日本語のテキストを読みます。猫は小さい庭で歌を歌います。",
    "question: who sings a song? context: the fox sings 45 songs to the moon!",
]
# no marks that combine: the Rust library normalises whole graphemes, and does not know all that sentencepiece
# knows ("キ" with a half-width "ﾞ")
CHARACTERS = st.sampled_from(
    "".join(sorted(set("".join(CORPUS)))) + "éÉＡｶ①½\u00a0\n\t \u3000😀"
) | st.characters(categories=("Ll", "Lu", "Nd", "Nl", "No", "P", "S", "Z", "Cc"))
KEEP = {"clean_up_tokenization_spaces": False}


def train(path, **arguments):
    """Train a model in the process, as the recipes of the course do."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS),
        model_writer=model,
        **{"vocab_size": 150, "pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1} | arguments,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path.write_bytes(model.getvalue())
    return path


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return train(tmp_path_factory.mktemp("t5") / "spiece.model")


@pytest.fixture(scope="module")
def pair(model):
    return T5Tokenizer(model, legacy=True), T5TokenizerFast(model)


@pytest.fixture(scope="module", params=[T5Tokenizer, T5TokenizerFast], ids=["slow", "fast"])
def kind(request):
    return request.param


def make(kind, model, **arguments):
    return kind(model, **{"legacy": True, **arguments})


class TestSpecialTokens:
    def test_ids(self, kind, model):
        tokenizer = make(kind, model)
        assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id) == (0, 1, 2)
        assert len(tokenizer) == T5Tokenizer(model, legacy=True).sp_model.get_piece_size() + 100
        assert tokenizer.convert_tokens_to_ids("<extra_id_0>") == len(tokenizer) - 1
        assert tokenizer.convert_tokens_to_ids("<extra_id_99>") == len(tokenizer) - 100

    def test_texts_end_with_eos(self, kind, model):
        tokenizer = make(kind, model)
        one, two = tokenizer.encode("the cat"), tokenizer.encode("a song")
        assert one[-1] == two[-1] == 1
        assert tokenizer.encode("the cat", "a song") == one + two
        assert tokenizer("the", "cat", return_token_type_ids=True)["token_type_ids"] == [0] * len(
            tokenizer.encode("the", "cat")
        )

    def test_no_second_eos(self, model):
        assert make(T5Tokenizer, model).encode("the cat</s>").count(1) == 1

    def test_sentinels(self, kind, model):
        tokenizer = make(kind, model, extra_ids=3)
        assert tokenizer.get_sentinel_tokens() == ["<extra_id_0>", "<extra_id_1>", "<extra_id_2>"]
        last = len(tokenizer) - 1
        assert tokenizer.get_sentinel_token_ids() == [last, last - 1, last - 2]

    def test_further_tokens_come_after_sentinels(self, kind, model):
        tokenizer = make(kind, model, extra_ids=2, additional_special_tokens=["<x>"])
        last = len(tokenizer) - 1
        assert tokenizer.convert_tokens_to_ids(["<extra_id_1>", "<extra_id_0>", "<x>"]) == [
            last - 2,
            last - 1,
            last,
        ]

    def test_contradiction(self, kind, model):
        with pytest.raises(ValueError, match="extra_ids \\(5\\)"):
            make(kind, model, extra_ids=5, additional_special_tokens=["<extra_id_0>"])

    def test_spelling(self, model):
        slow = make(T5Tokenizer, model)
        ids = slow.encode("the <extra_id_0> house<extra_id_1>.")
        assert slow.decode(ids, **KEEP) == "the <extra_id_0> house <extra_id_1> .</s>"
        assert slow.decode(ids, skip_special_tokens=True, **KEEP) == "the house ."


class TestAnyText:
    @settings(max_examples=300, deadline=None)
    @given(st.text(CHARACTERS, max_size=40))
    @example("")
    @example("  \n the <extra_id_0>  <extra_id_1> house<pad> x ")
    def test_slow_equals_fast(self, pair, text):
        slow, fast = pair
        if "\u2581" not in text and "</s>" not in text:
            assert slow(text).data == fast(text).data

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.sampled_from(" ".join(CORPUS[:3]).split()), min_size=1, max_size=8))
    def test_decoding_gives_it_back(self, pair, words):
        text = " ".join(words)
        for tokenizer in pair:
            assert tokenizer.decode(tokenizer.encode(text), skip_special_tokens=True, **KEEP) == text

    def test_alignment(self, pair):
        text = "the little house"
        encoded = pair[1](text, return_offsets_mapping=True)
        assert [text[slice(*encoded.word_to_chars(word))] for word in range(3)] == text.split()
        assert encoded.char_to_token(3) is None
        assert encoded.offset_mapping[-1] == (0, 0)
        with pytest.raises(ValueError, match="non-fast"):
            pair[0](text).word_ids()


class TestArguments:
    def test_legacy_is_the_default(self, model):
        assert T5Tokenizer(model).legacy is True

    def test_text_after_a_special_token(self, model):
        text = "the <extra_id_0>."
        old, new = (make(T5Tokenizer, model, legacy=legacy).tokenize(text) for legacy in (True, False))
        assert old[-3:] == ["<extra_id_0>", "▁", "."]
        assert new[-2:] == ["<extra_id_0>", "."]

    def test_no_prefix_space(self, model):
        tokenizer = make(T5Tokenizer, model, legacy=False, add_prefix_space=False)
        assert not tokenizer.tokenize("the")[0].startswith("▁")
        assert tokenizer.tokenize(" the")[0].startswith("▁")

    @pytest.mark.parametrize("legacy", [True, False])
    def test_fast_follows(self, model, legacy):
        slow, fast = (make(kind, model, legacy=legacy) for kind in (T5Tokenizer, T5TokenizerFast))
        for text in [*CORPUS, " the  cat ", ""]:
            assert slow(text).data == fast(text).data

    def test_sampling(self, model):
        sampled = {"enable_sampling": True, "nbest_size": -1, "alpha": 0.1}
        tokenizer = make(T5Tokenizer, model, sp_model_kwargs=sampled)
        assert len({tuple(tokenizer.tokenize(CORPUS[0])) for _ in range(20)}) > 1

    def test_pickled(self, model, pair):
        again = pickle.loads(pickle.dumps(pair[0]))
        assert again(CORPUS) == pair[0](CORPUS)

    def test_as_targets(self, kind, model):
        tokenizer = make(kind, model)
        expected = tokenizer(CORPUS[1])["input_ids"]
        assert tokenizer(CORPUS[0], text_target=CORPUS[1])["labels"] == expected
        with pytest.warns(FutureWarning), tokenizer.as_target_tokenizer():
            assert tokenizer(CORPUS[1])["input_ids"] == expected
        with pytest.warns(FutureWarning):
            batch = tokenizer.prepare_seq2seq_batch([CORPUS[0]], [CORPUS[1]])
        assert batch["labels"] == [expected]


class TestFiles:
    def test_from_either_to_either(self, kind, model, tmp_path):
        tokenizer = make(kind, model, model_max_length=20, extra_ids=5)
        tokenizer.add_tokens(["newtok"])
        tokenizer.save_pretrained(tmp_path)
        assert (tmp_path / "spiece.model").read_bytes() == model.read_bytes()
        for loaded in (T5Tokenizer.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)):
            assert loaded("the newtok <extra_id_4>") == tokenizer("the newtok <extra_id_4>")
            assert loaded.get_vocab() == tokenizer.get_vocab()
            assert (loaded.model_max_length, loaded.get_sentinel_tokens()[0]) == (20, "<extra_id_0>")

    def test_the_model_alone(self, kind, model, tmp_path):
        (tmp_path / "spiece.model").write_bytes(model.read_bytes())
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "t5"}))
        loaded = AutoTokenizer.from_pretrained(tmp_path, use_fast=kind.is_fast)
        assert type(loaded) is kind
        assert kind.from_pretrained(model)(CORPUS) == loaded(CORPUS)

    def test_tokenizer_json_alone(self, pair, tmp_path):
        pair[1].save_pretrained(tmp_path, legacy_format=False)
        slow = AutoTokenizer.from_pretrained(tmp_path, use_fast=False)
        assert type(slow) is T5Tokenizer
        for text in CORPUS:
            assert slow(text) == pair[0](text)

    def test_the_model_is_kept_when_its_file_goes(self, model, tmp_path):
        copy = tmp_path / "copy.model"
        copy.write_bytes(model.read_bytes())
        tokenizer = make(T5Tokenizer, copy)
        copy.unlink()
        (path,) = tokenizer.save_vocabulary(str(tmp_path))
        assert T5Tokenizer(path, legacy=True)(CORPUS) == tokenizer(CORPUS)

    def test_no_model(self, kind, tmp_path):
        with pytest.raises(OSError, match="Can't read a vocabulary file"):
            kind(tmp_path / "spiece.model")
        (tmp_path / "spiece.model").write_text("this is no model")
        with pytest.raises(ValueError, match="not a model of sentencepiece"):
            kind(tmp_path / "spiece.model")

    def test_a_model_of_another_kind(self, tmp_path):
        path = train(tmp_path / "spiece.model", model_type="bpe", vocab_size=120)
        assert T5Tokenizer(path, legacy=True).tokenize("the cat")
        with pytest.raises(ValueError, match="unigram"):
            T5TokenizerFast(path)


class TestConversion:
    def test_control_and_user_defined_symbols(self, tmp_path):
        path = train(tmp_path / "spiece.model", user_defined_symbols=["<u>"], control_symbols=["<c>"])
        backend = convert_slow_tokenizer(T5Tokenizer(path, legacy=True))
        special = {token.content: token.special for token in backend.get_added_tokens_decoder().values()}
        assert special == {"<pad>": True, "</s>": True, "<c>": True, "<u>": False}

    @pytest.mark.parametrize("rule", ["nmt_nfkc", "nfkc", "identity", "nmt_nfkc_cf"])
    def test_normalisation_rules(self, tmp_path, rule):
        path = train(tmp_path / "spiece.model", normalization_rule_name=rule)
        slow, fast = make(T5Tokenizer, path), make(T5TokenizerFast, path)
        for text in [*CORPUS, "ＡＢＣ ½ THE\u00a0Cat", "été e\u0301", "tab\tnew\nline"]:
            assert slow(text).data == fast(text).data


class TestTraining:
    @pytest.fixture(scope="class")
    @classmethod
    def trained(cls, tmp_path_factory):
        """Return a fast tokenizer that the `tokenizers` library trained, without sentinels."""
        backend = Tokenizer(models.Unigram())
        backend.normalizer = normalizers.Sequence([normalizers.Replace("\t", " ")])
        backend.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
        )
        trainer = trainers.UnigramTrainer(
            vocab_size=120,
            special_tokens=["<pad>", "</s>", "<unk>"],
            unk_token="<unk>",
            show_progress=False,
        )
        backend.train_from_iterator(CORPUS, trainer)
        return backend

    def test_a_trained_backend_can_be_saved_for_sentencepiece(self, trained, tmp_path):
        fast = T5TokenizerFast(tokenizer_object=trained)
        fast.save_pretrained(tmp_path)
        slow = T5Tokenizer(tmp_path / "spiece.model", legacy=True)
        assert slow.get_vocab() == fast.get_vocab()
        for text in [*CORPUS, "the <extra_id_3> house"]:
            assert slow(text).data == fast(text).data

    def test_a_new_one_like_it(self, pair, tmp_path):
        new = pair[1].train_new_from_iterator(CORPUS, vocab_size=200, show_progress=False)
        assert len(new) <= 200
        assert new.get_sentinel_tokens() == pair[1].get_sentinel_tokens()
        new.save_pretrained(tmp_path)
        slow, again = T5Tokenizer.from_pretrained(tmp_path), T5TokenizerFast.from_pretrained(tmp_path)
        for text in [*CORPUS, "the <extra_id_0> house"]:
            assert slow(text).data == new(text).data == again(text).data

    def test_a_normaliser_that_sentencepiece_lacks(self, trained, tmp_path):
        backend = Tokenizer.from_str(trained.to_str())
        backend.normalizer = normalizers.Lowercase()
        fast = T5TokenizerFast(tokenizer_object=backend)
        assert not fast.can_save_slow_tokenizer
        fast.save_pretrained(tmp_path)
        assert not (tmp_path / "spiece.model").exists()
        with pytest.raises(ValueError, match="Lowercase"):
            fast.save_vocabulary(str(tmp_path))
