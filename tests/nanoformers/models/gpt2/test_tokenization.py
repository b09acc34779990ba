"""GPT-2's tokenizers: words, bytes, merges, and that the slow and the fast one agree on any text."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nanoformers import AddedToken, AutoTokenizer, BertTokenizerFast, GPT2Tokenizer, GPT2TokenizerFast
from nanoformers.tokenization.byte_level import BytePairEncoder, bytes_to_unicode, read_merges, split_words
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

CORPUS = [
    "The little fox runs through the green garden, and she's singing to the moon.",
    "Le café est déjà fermé, où est passé l'été ?",
    "日本語のテキストを読みます。猫は小さい庭で歌を歌います。",
    "In 2023, 45 of 120 boxes cost $3.50 each.  Smile 😀!",
]
# unassigned characters may be letters already in the Rust library's newer Unicode
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=60) | st.text(
    "ab' stx\t\n 12_.é日😀\x1c\u3000", max_size=30
)
KEEP = {"clean_up_tokenization_spaces": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt2")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.model.save(str(folder))
    return folder


@pytest.fixture(scope="module", params=[GPT2Tokenizer, GPT2TokenizerFast], ids=["slow", "fast"])
def kind(request):
    return request.param


def make(kind, folder, **arguments):
    return kind(folder / "vocab.json", folder / "merges.txt", **arguments)


@pytest.fixture(scope="module")
def pair(folder):
    return make(GPT2Tokenizer, folder), make(GPT2TokenizerFast, folder)


class TestWords:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", []),
            ("Hello world", ["Hello", " world"]),
            ("it's DON'T we'll", ["it", "'s", " DON", "'", "T", " we", "'ll"]),
            ("a1b2  c", ["a", "1", "b", "2", " ", " c"]),
            ("x_y, 3.5", ["x", "_", "y", ",", " 3", ".", "5"]),
            ("½² Ⅷé", ["½²", " Ⅷ", "é"]),
            ("end \n\n ", ["end", " \n\n "]),
            ("\x1c\x1d x\u3000y", ["\x1c\x1d", " x", "\u3000", "y"]),
            ("日本。", ["日本", "。"]),
        ],
    )
    def test_examples(self, text, words):
        assert split_words(text) == words

    @given(ANY_TEXT)
    def test_are_the_whole_text(self, text):
        assert "".join(split_words(text)) == text

    @given(st.text("ab' stx\t\n\x0b\x1c\x1f 12_.-", max_size=30))
    def test_ascii_has_no_rules_of_its_own(self, text):
        assert split_words(text) == split_words(f"{text} é")[: len(split_words(text))] or text[-1:].isspace()


class TestMerges:
    def test_bytes_are_written_as_printable_characters(self):
        written = bytes_to_unicode()
        assert len(set(written.values())) == 256
        assert all(char.isprintable() and not char.isspace() for char in written.values())
        assert [written[ord(char)] for char in "a \n"] == ["a", "Ġ", "Ċ"]

    def test_the_most_urgent_pair_first_from_the_left(self):
        encoder = BytePairEncoder([("a", "a"), ("aa", "b"), ("b", "c")])
        assert encoder.merge(list("aaabc")) == ["aa", "a", "bc"]
        assert encoder.merge(list("aabc")) == ["aab", "c"]
        assert encoder.merge([]) == []

    @pytest.mark.parametrize("content", ["#version: 0.2\na b\nab c\n", "a b\r\nab c", "a b\n\nab c\n\n"])
    def test_files(self, tmp_path, content):
        (tmp_path / "merges.txt").write_text(content)
        assert read_merges(tmp_path / "merges.txt") == [("a", "b"), ("ab", "c")]

    def test_a_line_that_is_no_pair(self, tmp_path):
        (tmp_path / "merges.txt").write_text("#version: 0.2\na b\na b c\n")
        with pytest.raises(ValueError, match=r"Line 3 of .*merges.txt is 'a b c'"):
            read_merges(tmp_path / "merges.txt")


class TestAnyText:
    @settings(max_examples=300, deadline=None)
    @given(ANY_TEXT)
    @example("")
    @example("a<|endoftext|>b  <|endoftext|> \n")
    @example("日本語のテキストを読みます" * 40)
    def test_slow_equals_fast(self, pair, text):
        slow, fast = pair
        assert slow(text).data == fast(text).data
        assert slow.tokenize(text) == fast.tokenize(text)

    @settings(max_examples=200, deadline=None)
    @given(ANY_TEXT)
    def test_decoding_gives_it_back(self, pair, text):
        for tokenizer in pair:
            assert tokenizer.decode(tokenizer.encode(text), **KEEP) == text

    @settings(max_examples=100, deadline=None)
    @given(ANY_TEXT)
    def test_offsets_cover_it(self, pair, text):
        offsets = pair[1](text, return_offsets_mapping=True)["offset_mapping"]
        assert {i for start, end in offsets for i in range(start, end)} == set(range(len(text)))


class TestArguments:
    def test_prefix_space(self, kind, folder):
        plain, spaced = make(kind, folder), make(kind, folder, add_prefix_space=True)
        assert spaced("garden") == plain(" garden")

    def test_bos(self, kind, folder):
        tokenizer = make(kind, folder, add_bos_token=True)
        bos = tokenizer.bos_token_id
        ids = tokenizer("a", "b", return_special_tokens_mask=True)
        assert ids["input_ids"] == [bos, *tokenizer.encode("a")[1:], bos, *tokenizer.encode("b")[1:]]
        assert ids["special_tokens_mask"] == [1, 0, 1, 0]
        assert tokenizer.num_special_tokens_to_add(pair=True) == 2

    def test_words_need_spaces(self, folder):
        words = ["green", "garden"]
        spaced = make(GPT2TokenizerFast, folder, add_prefix_space=True)
        slow = make(GPT2Tokenizer, folder)
        assert spaced(words, is_split_into_words=True) == slow(words, is_split_into_words=True)
        assert spaced(words, is_split_into_words=True).word_ids()[-1] == 1
        with pytest.raises(ValueError, match="add_prefix_space=True"):
            make(GPT2TokenizerFast, folder)(words, is_split_into_words=True)

    def test_what_bytes_without_meaning_become(self, folder):
        tokens = ["Ã", "h"]
        assert make(GPT2Tokenizer, folder).convert_tokens_to_string(tokens) == "\ufffdh"
        assert make(GPT2Tokenizer, folder, errors="ignore").convert_tokens_to_string(tokens) == "h"

    def test_padding_needs_a_token(self, kind, folder):
        tokenizer = make(kind, folder)
        with pytest.raises(ValueError, match="`pad_token`"):
            tokenizer(["a", "b c"], padding=True)
        tokenizer.pad_token = tokenizer.eos_token
        assert tokenizer(["a", "b c"], padding=True)["attention_mask"] == [[1, 0], [1, 1]]

    def test_single_words_end_at_punctuation_too(self, kind, folder):
        tokenizer = make(kind, folder)
        tokenizer.add_tokens([AddedToken("alone", single_word=True)])
        assert tokenizer.tokenize("alone, stalone alones alone").count("alone") == 2

    def test_an_added_token_with_characters_of_no_byte(self, kind, folder):
        tokenizer = make(kind, folder, additional_special_tokens=["<猫>"])
        decoded = tokenizer.decode(tokenizer.encode("a<猫>b"), spaces_between_special_tokens=False)
        assert decoded == "a<猫>b"

    def test_targets(self, kind, folder):
        tokenizer = make(kind, folder)
        assert tokenizer("fox", text_target="moon")["labels"] == tokenizer("moon")["input_ids"]


class TestFiles:
    def test_from_either_to_either(self, kind, folder, tmp_path):
        tokenizer = make(kind, folder, model_max_length=12, add_prefix_space=True)
        tokenizer.add_tokens(["newtok"])
        tokenizer.add_special_tokens({"pad_token": "<pad>"})
        tokenizer.save_pretrained(tmp_path)
        for loaded in (GPT2Tokenizer.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)):
            assert loaded("a newtok <pad>") == tokenizer("a newtok <pad>")
            assert loaded.get_vocab() == tokenizer.get_vocab()
            assert (loaded.model_max_length, loaded.pad_token) == (12, "<pad>")

    def test_a_folder_with_the_files_of_the_slow_one(self, folder, tmp_path):
        make(GPT2Tokenizer, folder).save_pretrained(tmp_path)
        assert not (tmp_path / "tokenizer.json").exists()
        assert type(AutoTokenizer.from_pretrained(tmp_path)) is GPT2TokenizerFast
        assert type(AutoTokenizer.from_pretrained(tmp_path, use_fast=False)) is GPT2Tokenizer

    def test_a_folder_with_the_file_of_the_fast_one(self, folder, tmp_path):
        fast = make(GPT2TokenizerFast, folder)
        fast.add_tokens(["newtok"])
        fast.save_pretrained(tmp_path, legacy_format=False)
        assert not (tmp_path / "vocab.json").exists()
        slow = AutoTokenizer.from_pretrained(tmp_path, use_fast=False)
        assert type(slow) is GPT2Tokenizer
        assert slow("a newtok fox") == fast("a newtok fox")

    def test_model_type_tells_the_class(self, folder, tmp_path):
        make(GPT2Tokenizer, folder).save_vocabulary(str(tmp_path))
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
        assert type(AutoTokenizer.from_pretrained(tmp_path)) is GPT2TokenizerFast

    def test_half_of_the_files(self, kind, folder, tmp_path):
        make(GPT2Tokenizer, folder).save_pretrained(tmp_path)
        (tmp_path / "merges.txt").unlink()
        with pytest.raises(OSError, match=r"merges\.txt"):
            kind.from_pretrained(tmp_path)

    def test_no_file(self, kind, tmp_path):
        with pytest.raises(OSError, match=r"vocab\.json"):
            make(kind, tmp_path)
        with pytest.raises(ValueError, match="all vocabulary files"):
            GPT2TokenizerFast(tmp_path / "vocab.json")

    def test_a_vocabulary_that_is_none(self, kind, folder, tmp_path):
        (tmp_path / "vocab.json").write_text("[1]")
        with pytest.raises(ValueError, match="JSON object"):
            kind(tmp_path / "vocab.json", folder / "merges.txt")


def test_the_files_of_another_kind_of_tokenizer(tmp_path):
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"type WordPiece is none of GPT-2's.*AutoTokenizer"):
        GPT2Tokenizer.from_pretrained(tmp_path)


class TestTraining:
    def test_a_trained_one_saves_both_kinds_of_files(self, folder, tmp_path):
        new = make(GPT2TokenizerFast, folder).train_new_from_iterator(
            [CORPUS[2:]], vocab_size=300, show_progress=False
        )
        assert len(new) == 300
        assert new.eos_token_id == 0
        new.save_pretrained(tmp_path)
        slow = GPT2Tokenizer.from_pretrained(tmp_path)
        for text in CORPUS:
            assert slow(text) == new(text)
            assert new.decode(new.encode(text), **KEEP) == text
