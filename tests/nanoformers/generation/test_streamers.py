"""Streamers: text that comes out word by word, printed or from another thread."""

from __future__ import annotations

from queue import Empty
from threading import Thread

import pytest
import torch
from nanoformers import GPT2Config, GPT2LMHeadModel, TextIteratorStreamer, TextStreamer, logging

WORDS = ["<s>", "a ", "small ", "ca", "t ", "\n", "猫", "が"]


class Tokenizer:
    """Decodes by a list of pieces."""

    def decode(self, ids: list[int], skip_special_tokens: bool = False) -> str:
        return "".join(WORDS[i] for i in ids if not (skip_special_tokens and i == 0))


@pytest.fixture
def model():
    logging.set_verbosity_error()
    torch.manual_seed(0)
    shape = {"vocab_size": len(WORDS), "n_embd": 8, "n_layer": 1, "n_head": 2, "n_positions": 32}
    yield GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=None)).eval()
    logging.set_verbosity_warning()


class TestTextStreamer:
    def test_prints_whole_words(self, capsys):
        streamer = TextStreamer(Tokenizer())
        out = []
        for value in ([[0, 1]], [3], [4], [5], [6], [7], [1]):
            streamer.put(torch.tensor(value))
            out.append(capsys.readouterr().out)
        streamer.end()
        out.append(capsys.readouterr().out)
        # "ca" may go on; a line break and an ideograph end what they belong to; が alone waits
        assert out == ["<s>a ", "", "cat ", "\n", "猫", "", "がa ", "\n"]

    def test_skips_the_prompt(self, capsys, model):
        ids = torch.tensor([[1, 2]])
        streamer = TextStreamer(Tokenizer(), skip_prompt=True, skip_special_tokens=True)
        for _ in range(2):  # it can be used again
            tokens = model.generate(ids, streamer=streamer, max_new_tokens=6)
            expected = Tokenizer().decode(tokens[0, 2:].tolist(), skip_special_tokens=True)
            assert capsys.readouterr().out == expected + "\n"

    def test_takes_one_text_only(self, model):
        with pytest.raises(ValueError, match="TextStreamer only supports batch size 1"):
            model.generate(
                torch.ones(2, 3, dtype=torch.long), streamer=TextStreamer(Tokenizer()), max_length=5
            )


class TestTextIteratorStreamer:
    def test_gives_text_from_another_thread(self, model):
        ids = torch.tensor([[1, 2, 3]])
        streamer = TextIteratorStreamer(Tokenizer(), timeout=30)
        thread = Thread(
            target=model.generate, args=(ids,), kwargs={"streamer": streamer, "max_new_tokens": 10}
        )
        thread.start()
        text = "".join(streamer)
        thread.join()
        assert text == Tokenizer().decode(model.generate(ids, max_new_tokens=10)[0].tolist())

    def test_does_not_wait_for_ever(self):
        with pytest.raises(Empty):
            next(TextIteratorStreamer(Tokenizer(), timeout=0.01))
