"""From slow tokenizers to fast ones and back (`convert_slow_tokenizer`), for classes of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nanoformers import PreTrainedTokenizer, PreTrainedTokenizerFast
from nanoformers.convert_slow_tokenizer import convert_slow_tokenizer
from nanoformers.tokenization.converting import fast_counterpart
from tokenizers import Tokenizer, models, pre_tokenizers

WORDS = {"<unk>": 0, "red": 1, "house": 2}


class WordTokenizer(PreTrainedTokenizer):
    vocab_files_names = {"vocab_file": "words.json"}  # noqa: RUF012
    model_input_names = ("input_ids", "attention_mask")

    def __init__(self, vocab_file, unk_token="<unk>", **kwargs):
        self.vocab = json.loads(Path(vocab_file).read_text())
        super().__init__(unk_token=unk_token, **kwargs)

    @property
    def vocab_size(self):
        return len(self.vocab)

    def get_vocab(self):
        return {**self.vocab, **self._added_tokens_encoder}

    def _tokenize(self, text, **kwargs):
        return text.split()

    def _convert_token_to_id(self, token):
        return self.vocab.get(token, 0)

    def _convert_id_to_token(self, index):
        return list(self.vocab)[index]

    def save_vocabulary(self, save_directory, filename_prefix=None):
        path = Path(save_directory) / "words.json"
        path.write_text(json.dumps(self.vocab))
        return (str(path),)


class ConvertibleTokenizer(WordTokenizer):
    def fast_backend(self):
        backend = Tokenizer(models.WordLevel(self.vocab, unk_token="<unk>"))
        backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        return backend


class ConvertibleTokenizerFast(PreTrainedTokenizerFast):
    vocab_files_names = {"vocab_file": "words.json", "tokenizer_file": "tokenizer.json"}  # noqa: RUF012
    model_input_names = ("input_ids", "attention_mask")
    slow_tokenizer_class = ConvertibleTokenizer

    def save_vocabulary(self, save_directory, filename_prefix=None):
        path = Path(save_directory) / "words.json"
        path.write_text(json.dumps(self._tokenizer.get_vocab(with_added_tokens=False)))
        return (str(path),)


@pytest.fixture
def vocab_file(tmp_path):
    path = tmp_path / "words.json"
    path.write_text(json.dumps(WORDS))
    return path


def test_a_class_that_says_how(vocab_file):
    backend = convert_slow_tokenizer(ConvertibleTokenizer(vocab_file))
    assert backend.encode("red blue house").ids == [1, 0, 2]


def test_a_class_that_does_not(vocab_file):
    with pytest.raises(ValueError, match="WordTokenizer does not say how it is converted"):
        convert_slow_tokenizer(WordTokenizer(vocab_file))


def test_counterparts():
    assert fast_counterpart(ConvertibleTokenizer) is ConvertibleTokenizerFast
    assert fast_counterpart(WordTokenizer) is None


def test_the_fast_class_takes_the_vocabulary_of_the_slow_one(vocab_file):
    fast = ConvertibleTokenizerFast(vocab_file=vocab_file, unk_token="<unk>")
    assert fast("red house red")["input_ids"] == [1, 2, 1]


def test_from_slow_wins_over_tokenizer_json(vocab_file, tmp_path):
    ConvertibleTokenizerFast(vocab_file=vocab_file, unk_token="<unk>").save_pretrained(tmp_path)
    vocab_file.write_text(json.dumps({**WORDS, "blue": 3}))
    assert ConvertibleTokenizerFast.from_pretrained(tmp_path)("blue")["input_ids"] == [0]
    assert ConvertibleTokenizerFast.from_pretrained(tmp_path, from_slow=True)("blue")["input_ids"] == [3]


def test_the_slow_class_takes_tokenizer_json_where_there_is_nothing_else(vocab_file, tmp_path):
    fast = ConvertibleTokenizerFast(vocab_file=vocab_file, unk_token="<unk>")
    fast.add_tokens(["blue"])
    fast.save_pretrained(tmp_path / "saved", legacy_format=False)
    slow = ConvertibleTokenizer.from_pretrained(tmp_path / "saved")
    assert slow("red blue house") == fast("red blue house")


def test_a_slow_class_without_counterpart_does_not(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(OSError, match=r"words\.json"):
        WordTokenizer.from_pretrained(tmp_path)
