"""Examples of the use of a model, chosen by its name; for `add_code_sample_docstrings`."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["code_sample"]


@dataclass(frozen=True)
class _Sample:
    """One example.

    Attributes:
        pattern: what the model's name has in it.
        modality: what the model takes: "text", "audio" or "vision".
        body: the code behind the lines that load the model, where `<...>` is replaced.
    """

    pattern: str
    modality: str
    body: str


_PROCESSORS = {"text": "AutoTokenizer", "audio": "AutoFeatureExtractor", "vision": "AutoImageProcessor"}
_VARIABLES = {"text": "tokenizer", "audio": "feature_extractor", "vision": "image_processor"}

_SOUND = """
>>> sound = torch.sin(torch.arange(16000) * 0.17).numpy()  # a tone of one second
>>> inputs = feature_extractor(sound, sampling_rate=16000, return_tensors="pt")
"""
_PICTURE = """
>>> picture = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
>>> inputs = image_processor(picture, return_tensors="pt")
"""
_LOSS = """
>>> round(loss.item(), 2)
<expected_loss>
"""
_CLASS = """
>>> with torch.no_grad():
...     logits = model(**inputs).logits
>>> model.config.id2label[logits.argmax(-1).item()]
<expected_output>
>>> loss = model(**inputs, labels=torch.tensor([1])).loss
"""
_FRAMES = """
>>> with torch.no_grad():
...     logits = model(**inputs).logits
>>> (logits[0] > 0).int()[0].tolist()  # which of the classes are there at the start
<expected_output>
"""

_SAMPLES = (
    _Sample("SequenceClassification|AudioClassification", "audio", _SOUND + _CLASS + _LOSS),
    _Sample(
        "SequenceClassification",
        "text",
        '>>> inputs = tokenizer("The ship came home with every sail in one piece.", return_tensors="pt")'
        + _CLASS
        + _LOSS,
    ),
    _Sample(
        "QuestionAnswering",
        "text",
        """
>>> inputs = tokenizer("Who keeps the light?", "An old sailor keeps the light.", return_tensors="pt")
>>> with torch.no_grad():
...     outputs = model(**inputs)
>>> start, end = outputs.start_logits.argmax(), outputs.end_logits.argmax()
>>> tokenizer.decode(inputs.input_ids[0, start : end + 1], skip_special_tokens=True)
<expected_output>
>>> right = {"start_positions": torch.tensor([<start>]), "end_positions": torch.tensor([<end>])}
>>> loss = model(**inputs, **right).loss
"""
        + _LOSS,
    ),
    _Sample(
        "TokenClassification",
        "text",
        """
>>> inputs = tokenizer("Ada sailed from Lisbon to Bergen", add_special_tokens=False, return_tensors="pt")
>>> with torch.no_grad():
...     classes = model(**inputs).logits.argmax(-1)  # one for each token: a word may have several
>>> [model.config.id2label[one] for one in classes[0].tolist()]
<expected_output>
>>> loss = model(**inputs, labels=classes).loss
"""
        + _LOSS,
    ),
    _Sample(
        "MultipleChoice",
        "text",
        """
>>> beginning = "The harbour lies in thick fog."
>>> choices = ["The keeper sounds the horn.", "The keeper waters the horn."]
>>> inputs = tokenizer([beginning] * 2, choices, return_tensors="pt", padding=True)
>>> inputs = {name: tensor[None] for name, tensor in inputs.items()}  # a batch of one
>>> outputs = model(**inputs, labels=torch.tensor([0]))
>>> loss, logits = outputs.loss, outputs.logits
""",
    ),
    _Sample(
        "MaskedLM|FlaubertWithLMHeadModel|XLMWithLMHeadModel",
        "text",
        """
>>> inputs = tokenizer("The cat sat on the <mask>.", return_tensors="pt")
>>> masked = inputs.input_ids == tokenizer.mask_token_id
>>> with torch.no_grad():
...     logits = model(**inputs).logits
>>> tokenizer.decode(logits[masked].argmax(-1))
<expected_output>
>>> labels = torch.where(masked, tokenizer.convert_tokens_to_ids("mat"), -100)  # only the mask counts
>>> loss = model(**inputs, labels=labels).loss
"""
        + _LOSS,
    ),
    _Sample(
        "LMHead|CausalLM",
        "text",
        """
>>> inputs = tokenizer("Once there was a lighthouse", return_tensors="pt")
>>> outputs = model(**inputs, labels=inputs.input_ids)
>>> loss, logits = outputs.loss, outputs.logits
""",
    ),
    _Sample(
        "CTC",
        "audio",
        _SOUND
        + """
>>> with torch.no_grad():
...     logits = model(**inputs).logits
>>> logits.argmax(-1)[0, :10].tolist()  # a processor's `batch_decode` makes text of them
<expected_output>
""",
    ),
    _Sample("AudioFrameClassification", "audio", _SOUND + _FRAMES),
    _Sample(
        "XVector",
        "audio",
        _SOUND
        + """
>>> with torch.no_grad():
...     voice = torch.nn.functional.normalize(model(**inputs).embeddings, dim=-1)
>>> round((voice[0] @ voice[0]).item(), 2)  # how alike two voices are: here one and the same
<expected_output>
""",
    ),
    _Sample(
        "Model", "audio", _SOUND + ">>> list(model(**inputs).last_hidden_state.shape)\n<expected_output>\n"
    ),
    _Sample(
        "Model", "vision", _PICTURE + ">>> list(model(**inputs).last_hidden_state.shape)\n<expected_output>\n"
    ),
    _Sample(
        "Model|Encoder",
        "text",
        """
>>> inputs = tokenizer("The ship came home.", return_tensors="pt")
>>> last_hidden_state = model(**inputs).last_hidden_state
""",
    ),
    _Sample("ImageClassification", "vision", _PICTURE + _CLASS),
)
_MODALITY_BY_NAME = {"CTC": "audio", "AudioFrameClassification": "audio", "ImageClassification": "vision"}


def code_sample(
    model_class: str,
    *,
    modality: str | None,
    processor_class: str | None,
    checkpoint: str,
    mask: str,
    answer: tuple[int, int],
    expected_output: str | None,
    expected_loss: float | str | None,
) -> str:
    """Return the example for a model, as a docstring has it.

    Args:
        model_class: the model's name, which decides.
        modality: "audio" or "vision"; by default the name tells, or it is text.
        processor_class: class that prepares the input; by default the Auto class for the modality.
        checkpoint: arguments of `from_pretrained`, as code.
        mask: the mask token.
        answer: first and last token of the right answer.
        expected_output: what is printed; None leaves the line out.
        expected_loss: the same for the loss.

    Raises:
        ValueError: no example belongs to a model of that name.
    """
    told = (kind for part, kind in _MODALITY_BY_NAME.items() if part in model_class)
    kind = modality or next(told, "text")
    sample = next(
        (one for one in _SAMPLES if one.modality == kind and re.search(one.pattern, model_class)), None
    )
    if sample is None:
        raise ValueError(f"Docstring can't be built for model {model_class}")
    processor, variable = processor_class or _PROCESSORS[kind], _VARIABLES[kind]
    body = sample.body.strip("\n")
    for name, value in {"expected_output": expected_output, "expected_loss": expected_loss}.items():
        if value is None:  # with its line goes the one that would print it
            body = re.sub(rf"\n[^\n]+\n<{name}>", "", body)
        body = body.replace(f"<{name}>", str(value))
    for name, text in {"mask": mask, "start": answer[0], "end": answer[1]}.items():
        body = body.replace(f"<{name}>", str(text))
    return "\n".join(
        [
            "Example:",
            "",
            "```python",
            ">>> import torch",
            f">>> from nanoformers import {processor}, {model_class}",
            "",
            f">>> {variable} = {processor}.from_pretrained({checkpoint})",
            f">>> model = {model_class}.from_pretrained({checkpoint})",
            "",
            *body.split("\n"),
            "",  # or doctest would expect the fence to be printed
            "```",
        ]
    )
