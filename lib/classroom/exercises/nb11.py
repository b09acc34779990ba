"""Exercises of notebook 11: Auto classes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

from classroom.exercises import Wrong, exercise

CLASSES = {
    "is this review friendly?": "AutoModelForSequenceClassification",
    "which words of a sentence are names?": "AutoModelForTokenClassification",
    "go on with this story": "AutoModelForCausalLM",
    "translate this sentence": "AutoModelForSeq2SeqLM",
    "one vector for each token, nothing else": "AutoModel",
}
_SHAPES = {
    "AutoModelForSequenceClassification": "gives one answer for the whole text",
    "AutoModelForTokenClassification": "gives an answer for each token",
    "AutoModelForCausalLM": "predicts the next token",
    "AutoModelForSeq2SeqLM": "reads one text and writes another",
    "AutoModelForMaskedLM": "guesses words that are hidden",
    "AutoModelForQuestionAnswering": "points at a place in a text",
    "AutoModelForMultipleChoice": "chooses between several texts",
    "AutoModel": "gives states, and no answers",
}


@exercise(
    "11.1",
    "Which Auto class for which job?",
    hints=[
        "Ask what comes out: one answer, an answer for each token, the next token, another text, or vectors.",
        "Going on with a text is causal language modeling; from one text to another is Seq2Seq.",
        "The last one has no head at all.",
    ],
)
def auto_class(answer: dict[str, str]) -> str:
    """The dictionary, completed with names of classes."""
    import nanoformers

    if not isinstance(answer, dict) or set(answer) != set(CLASSES):
        raise Wrong(f"Complete the dictionary with these keys: {'; '.join(CLASSES)}.")
    for job, expected in CLASSES.items():
        given = getattr(answer[job], "__name__", answer[job])
        if given is None:
            raise Wrong(f"Not yet answered: {job}")
        if not (isinstance(given, str) and given.startswith("AutoModel") and hasattr(nanoformers, given)):
            raise Wrong(f"{given!r} is no Auto class for models.")
        if given != expected:
            does = _SHAPES.get(given, "does something else")
            raise Wrong(f'For "{job}": {given} {does}.')
    return "The head decides what comes out; the architecture underneath may be any that has it."


@exercise(
    "11.2",
    "What is this checkpoint, without loading it?",
    hints=[
        "The configuration has both, and it is a small file.",
        "Each architecture has its own word for the number of layers; `num_hidden_layers` works for all.",
        "config = AutoConfig.from_pretrained(name); return config.model_type, config.num_hidden_layers",
    ],
)
def describe(answer: Callable[[str], tuple[str, int]]) -> str:
    """A function, tried on folders that have a configuration and no weights."""
    import nanoformers

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    configurations: list[Any] = [
        nanoformers.BertConfig(num_hidden_layers=3),
        nanoformers.DistilBertConfig(n_layers=5),
        nanoformers.GPT2Config(n_layer=7),
        nanoformers.T5Config(num_layers=2),
    ]
    for config in configurations:
        expected = (config.model_type, config.num_hidden_layers)
        with tempfile.TemporaryDirectory() as folder:
            config.save_pretrained(folder)
            try:
                found = answer(folder)
            except OSError as error:
                raise Wrong("It looks for weights: this folder has only a config.json.") from error
            except AttributeError as error:
                raise Wrong(f"For a {config.model_type}: {error}.") from error
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong(f"Return two values, (model_type, layers); this returned {found!r}.")
        if tuple(found) != expected:
            raise Wrong(f"For a {config.model_type} with {expected[1]} layers it says {tuple(found)}.")
    return "That is all an Auto class needs, too: it decides before it loads."
