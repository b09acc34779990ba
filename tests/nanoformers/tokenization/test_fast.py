"""`PreTrainedTokenizerFast`: wrapping, training anew (documentation page `fast_tokenizers`)."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from nanoformers import BertTokenizerFast, PreTrainedTokenizerFast
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

NAMES = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
CORPUS = ["hug pug pun bun hugs"] * 20


@pytest.fixture
def backend() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(CORPUS, trainers.BpeTrainer(special_tokens=NAMES, show_progress=False))
    return tokenizer


class TestWrapping:
    def test_object_and_file_agree(self, backend, tmp_path):
        backend.save(str(tmp_path / "tokenizer.json"))
        by_object = PreTrainedTokenizerFast(tokenizer_object=backend)
        by_file = PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))
        assert by_object("hug mug") == by_file("hug mug")
        assert by_object.is_fast
        assert by_object.model_max_length > 1e20

    def test_names_of_special_tokens(self, backend):
        wrapped = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]")
        assert wrapped(["hug", "hug pun"], padding=True)["attention_mask"] == [[1, 0], [1, 1]]
        assert wrapped.convert_tokens_to_ids("nonsuch") == 0

    def test_does_not_change_the_object(self, backend):
        PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<new>")(["a", "b b"], padding=True)
        assert backend.token_to_id("<new>") is None
        assert backend.padding is None

    def test_vocabulary(self, backend):
        wrapped = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<new>")
        assert len(wrapped) == wrapped.vocab_size + 1 == len(wrapped.vocab)
        assert wrapped.added_tokens_decoder[len(wrapped) - 1].content == "<new>"

    def test_no_such_file(self, tmp_path):
        with pytest.raises(OSError, match="no tokenizer file"):
            PreTrainedTokenizerFast(tokenizer_file=str(tmp_path / "tokenizer.json"))

    def test_unknown_arguments(self, fast):
        with pytest.raises(TypeError, match="paddign"):
            fast("a", paddign=True)

    @pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
    def test_copies(self, tokenizer, duplicate):
        tokenizer.add_tokens(["<new>"])
        same = duplicate(tokenizer)
        assert same("a <new> [MASK]") == tokenizer("a <new> [MASK]")
        assert same.special_tokens_map == tokenizer.special_tokens_map


@pytest.mark.parametrize("texts", ["a\ud800b", [["a", "b", "c"]]], ids=["surrogate", "three"])
def test_what_the_backend_takes_for_no_text(fast, texts):
    with pytest.raises(TypeError, match=r"Texts have to be `str` .* a lone surrogate .*is_split_into_words"):
        fast(texts)


class TestIdsThatAreNone:
    @pytest.mark.parametrize("ids", [[[5, 6], [7]], torch.tensor([[5, 6]])])
    def test_of_several_texts(self, tokenizer, ids):
        with pytest.raises(TypeError, match="ids of several texts, which `batch_decode` takes"):
            tokenizer.decode(ids)

    @pytest.mark.parametrize("ids", ["abc", None])
    def test_no_numbers(self, tokenizer, ids):
        with pytest.raises(TypeError, match="Ids are an int, or a list, array or tensor of int"):
            tokenizer.decode(ids)

    def test_what_a_loss_ignores(self, fast):
        with pytest.raises(OverflowError, match=r"The id -100 stands for no token.*pad_token_id"):
            fast.batch_decode([[5, -100]])


def test_a_negative_length(tokenizer):
    with pytest.raises(ValueError, match="`max_length` is a number of tokens, and cannot be -3"):
        tokenizer("a b c", truncation=True, max_length=-3)


def test_threads_do_not_cut_each_others_texts(fast):
    texts = ["aa bb cc dd ee"] * 50
    whole = len(fast(texts[0])["input_ids"])

    def lengths(most: int | None) -> set[int]:
        return {len(ids) for ids in fast(texts, truncation=most is not None, max_length=most)["input_ids"]}

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lengths, [None, 4] * 100)) == [{whole}, {4}] * 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_child_does_not_wait_for_a_thread_of_its_parent(fast):
    with fast._turn:
        child = multiprocessing.get_context("fork").Process(target=fast, args=["a b"], daemon=True)
        child.start()
    child.join(30)
    assert child.exitcode == 0


class TestTrainingAnew:
    def test_same_kind_on_other_texts(self, fast):
        new = fast.train_new_from_iterator([CORPUS], vocab_size=60, show_progress=False)
        assert isinstance(new, BertTokenizerFast)
        assert new.tokenize("HUGS") == ["hugs"]
        assert new.special_tokens_map == fast.special_tokens_map
        assert new.decode(new("hug", "pun")["input_ids"]) == "[CLS] hug [SEP] pun [SEP]"
        assert new.vocab_size <= 60

    def test_new_and_renamed_special_tokens(self, fast):
        new = fast.train_new_from_iterator(
            CORPUS,
            vocab_size=60,
            new_special_tokens=["<x>"],
            special_tokens_map={"[CLS]": "<s>"},
            show_progress=False,
        )
        assert new.cls_token == "<s>"
        assert new.additional_special_tokens == ["<x>"]
        assert new.decode(new("hug<x>")["input_ids"]) == "<s> hug <x> [SEP]"

    def test_saved_and_loaded(self, fast, tmp_path):
        new = fast.train_new_from_iterator(CORPUS, vocab_size=60, show_progress=False)
        new.save_pretrained(tmp_path)
        assert BertTokenizerFast.from_pretrained(tmp_path)("hugs pun") == new("hugs pun")

    @pytest.mark.parametrize(
        "model", [models.Unigram([("<unk>", 0.0), ("a", -1.0)], 0), models.WordLevel({"a": 0}, "a")]
    )
    def test_other_algorithms(self, model):
        backend = Tokenizer(model)
        backend.pre_tokenizer = pre_tokenizers.Whitespace()
        wrapped = PreTrainedTokenizerFast(tokenizer_object=backend)
        assert (
            "hug" in wrapped.train_new_from_iterator(CORPUS, vocab_size=40, show_progress=False).get_vocab()
        )

    def test_byte_level_keeps_its_alphabet(self):
        backend = Tokenizer(models.BPE())
        backend.pre_tokenizer = pre_tokenizers.ByteLevel()
        wrapped = PreTrainedTokenizerFast(tokenizer_object=backend)
        new = wrapped.train_new_from_iterator(CORPUS, vocab_size=300, show_progress=False)
        assert new.vocab_size >= 256
