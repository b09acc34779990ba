"""BERT's tokenizers: the words, the pieces, and that the slow and the fast one agree on any text."""

from __future__ import annotations

import unicodedata

import pytest
from classroom.sources import minilm_folder
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nanoformers import BasicTokenizer, BertTokenizer, BertTokenizerFast, WordpieceTokenizer
from nanoformers.models.bert.tokenization import load_vocab

VOCAB = minilm_folder() / "vocab.txt"
SLOW, FAST = BertTokenizer(VOCAB), BertTokenizerFast(VOCAB)
CASED = [BertTokenizer(VOCAB, do_lower_case=False), BertTokenizerFast(VOCAB, do_lower_case=False)]


class TestBasicTokenizer:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", []),
            (" \tHeLLo!how  \n Are yoU? ", ["hello", "!", "how", "are", "you", "?"]),
            ("ah博推zz", ["ah", "博", "推", "zz"]),
            ("ノード 한국", ["ノート", "한국"]),
            ("Hällo cafe\u0301s", ["hallo", "cafes"]),
            ("null\x00 bell\x07 \ufffdrest", ["null", "bell", "rest"]),
            ("zero\u200bwidth\u00ad", ["zerowidth"]),
            ("wide\u3000hard\u00a0line\u2028end", ["wide", "hard", "line", "end"]),
            ("$1~`^|<>«»¿", ["$", "1", "~", "`", "^", "|", "<", ">", "«", "»", "¿"]),
            ("ΟΔΟΣ", ["οδοσ"]),
        ],
    )
    def test_words(self, text, words):
        found = BasicTokenizer().tokenize(text)
        assert found == [unicodedata.normalize("NFD", word) if "한" in word else word for word in words]

    def test_cased_keeps_accents(self):
        assert BasicTokenizer(do_lower_case=False).tokenize("HÄllo, Wörld") == ["HÄllo", ",", "Wörld"]

    def test_lower_case_with_accents(self):
        assert BasicTokenizer(strip_accents=False).tokenize("HÄLLO") == ["hällo"]

    def test_never_split(self):
        keep = BasicTokenizer(never_split=["[UNK]"])
        assert keep.tokenize("A [UNK] b-c", never_split=["b-c"]) == ["a", "[UNK]", "b-c"]

    def test_switches(self):
        assert BasicTokenizer(do_split_on_punc=False).tokenize("a,b c") == ["a,b", "c"]
        assert BasicTokenizer(tokenize_chinese_chars=False).tokenize("ah博推zz") == ["ah博推zz"]


class TestWordpieceTokenizer:
    pieces = WordpieceTokenizer(
        {token: i for i, token in enumerate(["[UNK]", "un", "##aff", "##able", "a"])}, "[UNK]"
    )

    @pytest.mark.parametrize(
        ("text", "tokens"),
        [
            ("", []),
            ("unaffable", ["un", "##aff", "##able"]),
            ("unaffableX a", ["[UNK]", "a"]),
            ("a" * 101, ["[UNK]"]),
        ],
    )
    def test_longest_pieces_first(self, text, tokens):
        assert self.pieces.tokenize(text) == tokens


class TestVocabulary:
    def test_one_token_a_line(self, tmp_path):
        (tmp_path / "v").write_bytes("a\r\nb\n\u2028\nc".encode())
        assert load_vocab(tmp_path / "v") == {"a": 0, "b": 1, "\u2028": 2, "c": 3}

    def test_no_such_file(self, tmp_path):
        with pytest.raises(OSError, match="from_pretrained"):
            BertTokenizer(tmp_path / "vocab.txt")

    def test_not_text(self, tmp_path):
        (tmp_path / "vocab.txt").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(ValueError, match="UTF-8"):
            BertTokenizer(tmp_path / "vocab.txt")

    def test_fast_without_any_file(self):
        with pytest.raises(ValueError, match="tokenizer_file="):
            BertTokenizerFast()


class TestDocumentedExamples:
    """Of the pages `tokenizer_summary`, `glossary` and `main_classes/tokenizer`."""

    @pytest.mark.parametrize("tokenizer", [SLOW, FAST])
    def test_gpu(self, tokenizer):
        assert tokenizer.tokenize("I have a new GPU!") == ["i", "have", "a", "new", "gp", "##u", "!"]

    @pytest.mark.parametrize("tokenizer", [SLOW, FAST])
    def test_pair(self, tokenizer):
        encoded = tokenizer("how are you", "fine")
        assert tokenizer.decode(encoded["input_ids"]) == "[CLS] how are you [SEP] fine [SEP]"
        assert encoded["token_type_ids"] == [0, 0, 0, 0, 0, 1, 1]

    @pytest.mark.parametrize("tokenizer", [SLOW, FAST])
    def test_masks_inside_text(self, tokenizer):
        assert tokenizer.tokenize("the [MASK].") == ["the", "[MASK]", "."]


class TestSlowIsFast:
    """Python knows newer characters than the Rust library: texts are made of those that did not change."""

    characters = st.characters(codec="utf-8").filter(
        lambda char: unicodedata.ucd_3_2_0.category(char) == unicodedata.category(char) != "Cn"
    )
    interesting = st.sampled_from(
        [
            *"aZ .,!'#-\t\n\r",
            "##",
            "the",
            "[MASK]",
            "[SEP]",
            "é",
            "e\u0301",
            "İ",
            "ß",
            "Σ",
            "中",
            "한",
            "日本",
            "👍🏽",
            "\u200d",
            "\u0645\u064e",
            "\u00ad",
            "\u2028",
            "\ufffd",
            "\x00",
            "x" * 101,
        ]
    )
    texts = st.lists(characters | interesting, max_size=25).map("".join)

    @settings(max_examples=300, deadline=None)
    @given(text=texts)
    @example("x" * 100)
    @example("[MASK][MASK]\u0301")
    def test_lower_case(self, text):
        assert SLOW(text, return_special_tokens_mask=True) == FAST(text, return_special_tokens_mask=True)

    @settings(max_examples=100, deadline=None)
    @given(text=texts, pair=texts)
    def test_pairs(self, text, pair):
        assert SLOW(text, pair) == FAST(text, pair)

    @settings(max_examples=150, deadline=None)
    @given(text=texts.map(lambda text: unicodedata.normalize("NFC", text)))
    def test_cased(self, text):
        slow, fast = CASED
        assert slow.tokenize(text) == fast.tokenize(text)

    @settings(max_examples=60, deadline=None)
    @given(words=st.lists(texts, max_size=5))
    def test_words(self, words):
        arguments = {"is_split_into_words": True}
        assert SLOW(words, **arguments) == FAST(words, **arguments)

    @settings(max_examples=60, deadline=None)
    @given(ids=st.lists(st.integers(0, 30521), max_size=12), skip=st.booleans())
    def test_decoding_keeps_every_piece(self, ids, skip):
        slow, fast = (
            t.decode(ids, skip_special_tokens=skip, clean_up_tokenization_spaces=False) for t in (SLOW, FAST)
        )
        assert slow.replace(" ", "") == fast.replace(" ", "")

    @pytest.mark.parametrize("text", ["word " * 20_000, "x" * 100_000, "naïve, 中文! " * 9_000])
    def test_hundred_thousand_characters(self, text):
        assert SLOW(text, verbose=False) == FAST(text, verbose=False)

    def test_after_many_different_words(self):
        slow = BertTokenizer(VOCAB)
        texts = [" ".join(f"w{i}" for i in range(start, start + 5_000)) for start in range(0, 70_000, 5_000)]
        assert slow.tokenize(texts[0]) == FAST.tokenize(texts[0])
        for text in texts:
            slow.tokenize(text)
        assert slow.tokenize(texts[0]) == FAST.tokenize(texts[0])
        assert len(slow._pieces) <= 2**16
