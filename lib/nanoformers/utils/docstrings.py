"""Decorators that build the docstrings of models out of parts which many share.

Mirrors the documentation page `internal/file_utils`. They are for those who write models in that style;
this library's own write their docstrings out.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

from .code_samples import code_sample

__all__ = [
    "add_code_sample_docstrings",
    "add_end_docstrings",
    "add_start_docstrings",
    "add_start_docstrings_to_model_forward",
    "replace_return_docstrings",
]

Documented = TypeVar("Documented", bound=Callable[..., Any])
Decorator = Callable[[Documented], Documented]

_PLACEHOLDER = re.compile(r"^\s*Returns?:\s*$")
_FIELDS = re.compile(r"^\s*(Args|Parameters):\s*$", re.MULTILINE)


def add_start_docstrings(*docstr: str) -> Decorator:
    """Put texts before the docstring of a class or function, as they are."""

    def decorate(function: Documented) -> Documented:
        function.__doc__ = "".join(docstr) + (function.__doc__ or "")
        return function

    return decorate


def add_end_docstrings(*docstr: str) -> Decorator:
    """Put texts behind the docstring of a class or function, as they are."""

    def decorate(function: Documented) -> Documented:
        function.__doc__ = (function.__doc__ or "") + "".join(docstr)
        return function

    return decorate


def add_start_docstrings_to_model_forward(*docstr: str) -> Decorator:
    """Put texts before the docstring of a model's `forward`, and before them what is true of every `forward`.

    All parts are brought to the left margin.
    """

    def decorate(function: Documented) -> Documented:
        intro = f"""
            The [`{_class_of(function)}`] forward method, overrides the `__call__` special method.

            <Tip>

            Call the model itself, `model(...)`, not `model.forward(...)`: only the call runs the hooks that
            were registered before and after it.

            </Tip>
            """
        function.__doc__ = _joined(intro, *docstr, inspect.getdoc(function) or "")
        return function

    return decorate


def replace_return_docstrings(output_type: type | None = None, config_class: str | None = None) -> Decorator:
    """Write what a model returns in place of the line `Returns:` in its docstring.

    Args:
        output_type: a `ModelOutput` class. Its fields are described as its docstring's section `Args:` does,
            or else listed with their types.
        config_class: name of the model's configuration class.

    Raises:
        ValueError: (by the decorator) the docstring has no empty `Returns:`, or the output class has neither
            that section nor fields.
    """

    def decorate(function: Documented) -> Documented:
        lines = (function.__doc__ or "").split("\n")
        at = next((index for index, line in enumerate(lines) if _PLACEHOLDER.match(line)), None)
        if at is None:
            raise ValueError(
                f"The function {function} should have an empty 'Return:' or 'Returns:' in its docstring as "
                f"placeholder, current docstring is:\n{function.__doc__}"
            )
        margin = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
        lines[at] = textwrap.indent(_returns(output_type, config_class), margin)
        function.__doc__ = "\n".join(lines)
        return function

    return decorate


def add_code_sample_docstrings(
    *docstr: str,
    processor_class: str | None = None,
    checkpoint: str | None = None,
    output_type: type | None = None,
    config_class: str | None = None,
    mask: str = "[MASK]",
    qa_target_start_index: int = 14,
    qa_target_end_index: int = 15,
    model_cls: str | None = None,
    modality: str | None = None,
    expected_output: str | None = None,
    expected_loss: float | str | None = None,
    real_checkpoint: str | None = None,
    revision: str | None = None,
) -> Decorator:
    """Put texts, what a model returns, and an example of its use behind the docstring of its `forward`.

    All parts are brought to the left margin. Which example depends on the model's name.

    Args:
        docstr: texts.
        processor_class: class that prepares the input; by default the Auto class for the modality.
        checkpoint: which the example loads.
        output_type: see `replace_return_docstrings`; without it, nothing is said of what is returned.
        config_class: the same.
        mask: the mask token, in the example of a masked language model.
        qa_target_start_index: where the answer starts, in the example of question answering.
        qa_target_end_index: where it ends.
        model_cls: name of the model's class; by default that of the decorated method.
        modality: "audio" or "vision", for a model whose name does not tell.
        expected_output: what the example prints; without it, that line is left out.
        expected_loss: the same for the loss.
        real_checkpoint: the checkpoint that a reader should take, where `checkpoint` is a small random one.
        revision: pull request that has the checkpoint, such as "refs/pr/6".

    Raises:
        ValueError: (by the decorator) no example belongs to a model of that name; the output class cannot be
            described; `revision` is no pull request.
    """
    if revision is not None and not re.fullmatch(r"refs/pr/\d+", revision):
        raise ValueError(
            f"The provided revision '{revision}' is incorrect. It should point to a pull request reference "
            "on the hub like 'refs/pr/6'"
        )

    def decorate(function: Documented) -> Documented:
        example = code_sample(
            model_cls or _class_of(function),
            modality=modality,
            processor_class=processor_class,
            checkpoint=f'"{checkpoint}"' + (f', revision="{revision}"' if revision else ""),
            mask=mask,
            answer=(qa_target_start_index, qa_target_end_index),
            expected_output=expected_output,
            expected_loss=expected_loss,
        )
        returned = "" if output_type is None else _returns(output_type, config_class)
        advice = (
            ""
            if real_checkpoint is None
            else f"""
                <Tip warning={{true}}>

                The weights of {checkpoint} are random, so that the example is quick. For results that mean
                something, load {real_checkpoint}.

                </Tip>
                """
        )
        function.__doc__ = _joined(inspect.getdoc(function) or "", *docstr, returned, advice, example)
        return function

    return decorate


def _class_of(function: Callable[..., Any]) -> str:
    """Return the name of the class that a method is defined in."""
    return function.__qualname__.split(".")[0]


def _joined(*parts: str) -> str:
    """Join texts at the left margin, an empty line between them."""
    return "\n\n".join(filter(None, (textwrap.dedent(part).strip("\n") for part in parts))) + "\n"


def _returns(output_type: type | None, config_class: str | None) -> str:
    """Describe what a model returns, at the left margin."""
    if output_type is None:
        raise ValueError("output_type has to say which class the model returns.")
    name = f"{output_type.__module__}.{output_type.__name__}"
    intro = (
        f"[`{name}`] or `tuple(torch.FloatTensor)`: a [`{name}`], or with `return_dict=False` (or "
        "`config.return_dict=False`) the tuple of what is in it. It has, as the configuration "
        f"([`{config_class}`]) and the inputs ask for:"
    )
    lines = ["Returns:", *textwrap.wrap(intro, 100, break_long_words=False), "", *_fields(output_type)]
    return "\n".join([lines[0], *(f"    {line}" if line else "" for line in lines[1:])]) + "\n"


def _fields(output_type: type) -> list[str]:
    """List an output's fields: those that its docstring describes, or else all with their types."""
    described = _FIELDS.split(inspect.cleandoc(output_type.__doc__ or ""))
    if len(described) > 1:
        # one field a line, its description farther in, up to the next section
        section = re.split(r"\n(?=\S)", described[-1].strip("\n"))[0]
        return [
            re.sub(r"^(\w+)(.*?):?$", r"- **\1**\2", line) if not line.startswith(" ") else line
            for line in textwrap.dedent(section).strip().split("\n")
        ]
    if dataclasses.is_dataclass(output_type):
        return [f"- **{field.name}** (`{field.type}`)" for field in dataclasses.fields(output_type)]
    raise ValueError(
        f"No `Args` or `Parameters` section is found in the docstring of `{output_type.__name__}`, and it is "
        "no dataclass whose fields could be listed."
    )
