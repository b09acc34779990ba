"""The pipeline: raw inputs in, readable answers out, in three steps that a subclass writes.

    preprocess    one raw input        -> what the model takes (tensors of one row)
    _forward      a batch of those     -> the model's outputs
    postprocess   one row of outputs   -> the answer

Mirrors the documentation pages `pipeline_tutorial` and `main_classes/pipelines`. Batches are made of inputs
of similar length, so little is computed on padding; the answers come back in the order of the inputs, and are
the same for every batch size.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import torch
from torch.utils.data import Dataset

from ..hub import PushToHubMixin
from ..utils import logging
from ..utils.files import folder_to_save_in
from .batching import MOST_PADDING, PaddingRule, input_length, pad_batch, plan_batches, take_row
from .custom import save_code
from .dataset import PipelineIterator, iterate
from .placement import first_device, resolve_device, resolve_dtype, to_device
from .workers import preprocess_in_workers

if TYPE_CHECKING:
    from ..modeling import PreTrainedModel
    from ..tokenization import PreTrainedTokenizerBase

logger = logging.get_logger(__name__)

# How many batches are read, sorted by length and answered together. A list is all there already; a generator
# may be slow or endless, so little of it is read ahead.
_BATCHES_OF_A_LIST = 64
_BATCHES_OF_A_STREAM = 4


class PipelineException(Exception):  # noqa: N818 - the documented name
    """A pipeline cannot do its task with this model or this input.

    Attributes:
        task: the pipeline's task.
        model: a name of the model.
    """

    def __init__(self, task: str, model: str, reason: str) -> None:
        super().__init__(reason)
        self.task = task
        self.model = model


class ArgumentHandler(ABC):
    """Turns the arguments of a call into what the pipeline's first step takes."""

    @abstractmethod
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the inputs, one by one as `Pipeline.preprocess` takes them."""


class Parameters(NamedTuple):
    """Keyword arguments of the three steps."""

    preprocess: dict[str, Any]
    forward: dict[str, Any]
    postprocess: dict[str, Any]


class Pipeline(PushToHubMixin, ABC):
    """Base class of all pipelines.

    A subclass writes `_sanitize_parameters`, `preprocess`, `_forward` and `postprocess`. Arguments beyond
    those named below are the task's own: given here they are the defaults of every call, given to a call they
    hold for that call only.

    Args:
        model: the model; it is put in evaluation mode.
        tokenizer: prepares text.
        feature_extractor: prepares sound.
        image_processor: prepares pictures.
        modelcard: kept as an attribute.
        framework: only "pt" (PyTorch).
        task: the task's name, used in messages.
        args_parser: sorts the arguments of a call, in place of the handler that the pipeline's class names
            (`default_argument_handler`).
        device: -1 or "cpu"; a CUDA ordinal; any torch device. By default the model stays where it is.
        torch_dtype: converts the model's floating-point weights, for example `torch.bfloat16`.
        binary_output: kept as an attribute, for those who write the answers to a file.
        batch_size: default number of inputs per forward pass (1).
        num_workers: default number of processes that preprocess (0: this one).
        kwargs: defaults of the task's own parameters.

    Attributes:
        default_argument_handler: what sorts the arguments of a call, in classes that need it.
        batch_padding_side: the side on which inputs are padded to make a batch; None for the tokenizer's. On
            the right, positions are those that an input has alone: answers are the same for every batch size.

    Raises:
        ValueError: the device does not exist here, `framework` is not "pt", or a model that a `device_map`
            placed is to be moved.
    """

    default_argument_handler: ClassVar[type[ArgumentHandler] | None] = None
    batch_padding_side: ClassVar[str | None] = None

    def __init__(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase | None = None,
        feature_extractor: Any | None = None,
        image_processor: Any | None = None,
        modelcard: Any | None = None,
        framework: str | None = None,
        task: str = "",
        args_parser: ArgumentHandler | None = None,
        device: int | str | torch.device | None = None,
        torch_dtype: str | torch.dtype | None = None,
        binary_output: bool = False,
        *,
        batch_size: int | None = None,
        num_workers: int | None = None,
        **kwargs: Any,
    ) -> None:
        if framework not in (None, "pt"):
            raise ValueError(
                f'`framework` is {framework!r}, and pipelines run on PyTorch: leave it out or pass "pt".'
            )
        self.task = task
        self.model = model.eval()
        self.tokenizer: Any = tokenizer
        self.feature_extractor = feature_extractor
        self.image_processor = image_processor
        self.modelcard = modelcard
        self.framework = "pt"
        if args_parser is None and self.default_argument_handler is not None:
            args_parser = self.default_argument_handler()
        self._args_parser: Any = args_parser
        self.binary_output = binary_output
        placed = getattr(model, "hf_device_map", None)
        if placed is not None and device is not None:
            raise ValueError(
                "The model has been loaded with `accelerate` and therefore cannot be moved to a specific "
                "device. Please discard the `device` argument when creating your pipeline object."
            )
        if placed is not None:
            self.device = first_device(placed)
        else:
            self.device = model.device if device is None else resolve_device(device)
        dtype = resolve_dtype(torch_dtype)
        if placed is None and (self.device != model.device or isinstance(dtype, torch.dtype)):
            self.model.to(device=self.device, dtype=dtype if isinstance(dtype, torch.dtype) else None)
        self.call_count = 0
        self._batch_size = batch_size
        self._num_workers = num_workers
        steps = self._sanitize_parameters(**kwargs)
        self._preprocess_params, self._forward_params, self._postprocess_params = steps

    # ---- the steps, for a subclass to write

    @abstractmethod
    def _sanitize_parameters(self, *_: Any, **parameters: Any) -> tuple[dict, dict, dict]:
        """Sort parameters by the step that takes them; leave out what the caller did not give.

        Returns:
            Keyword arguments of `preprocess`, of `_forward` and of `postprocess`.
        """

    @abstractmethod
    def preprocess(self, inputs: Any, /, *_: Any, **parameters: Any) -> Any:
        """Turn one raw input into what the model takes: tensors of shape (1, s, ...)."""

    @abstractmethod
    def _forward(self, model_inputs: Any, /, *_: Any, **parameters: Any) -> Any:
        """Run the model on a batch."""

    @abstractmethod
    def postprocess(self, model_outputs: Any, /, *_: Any, **parameters: Any) -> Any:
        """Turn the outputs for one input (tensors whose first dimension is 1, on the CPU) into the answer."""

    # ---- calling

    def __call__(
        self, inputs: Any, *, num_workers: int | None = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """Answer one input, a list of inputs, or a stream of them.

        Args:
            inputs: one input; a list (or other sequence, not a tuple); or a torch `Dataset`, `KeyDataset` or
                generator.
            num_workers: processes that preprocess a list or data set; at most 1 for a generator.
            batch_size: the most inputs per forward pass. The answers do not depend on it.
            kwargs: the task's own parameters, for this call only.

        Returns:
            One answer; a list of answers; or, for a stream, an iterator of answers that reads
            the inputs as it goes (with a batch size above 1, up to 4 batches ahead, to sort them by length).

        Raises:
            ValueError: `batch_size` or `num_workers` is out of range, or batches need a padding token
                and the tokenizer has none.
        """
        batch_size = _first_given(batch_size, self._batch_size, 1)
        num_workers = _first_given(num_workers, self._num_workers, 0)
        if batch_size < 1 or num_workers < 0:
            raise ValueError(
                f"`batch_size` is {batch_size} and `num_workers` is {num_workers}: "
                "the first is at least 1, the second at least 0."
            )
        parameters = self._parameters_of_a_call(kwargs)
        self.call_count += 1
        if self.call_count > 10 and self.device.type == "cuda":
            warnings.warn(
                "You seem to be using the pipelines sequentially on GPU. "
                "In order to maximize efficiency please use a dataset",
                UserWarning,
                stacklevel=2,
            )
        if isinstance(inputs, Dataset | Iterator):
            answers = self._answers(inputs, num_workers, batch_size, _BATCHES_OF_A_STREAM, parameters)
            return PipelineIterator(answers, inputs)
        if hasattr(inputs, "column_names"):
            raise ValueError(
                "A data set has rows with several columns: say which one to read with "
                f"`KeyDataset(dataset, name)`; its columns are {inputs.column_names}."
            )
        if isinstance(inputs, Sequence) and not isinstance(inputs, str | bytes | tuple):
            return list(self._answers(inputs, num_workers, batch_size, _BATCHES_OF_A_LIST, parameters))
        passes_at_once = batch_size if isinstance(self, ChunkPipeline) else 1
        return next(self._answers([inputs], 0, passes_at_once, 1, parameters))

    def predict(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's spelling
        """Call the pipeline, under scikit-learn's name."""
        return self(X)

    def transform(self, X: Any) -> Any:  # noqa: N803
        """Call the pipeline, under scikit-learn's name."""
        return self(X)

    def forward(self, model_inputs: Any, **forward_params: Any) -> Any:
        """Run `_forward` on the pipeline's device, without autograd; the outputs are on the CPU."""
        with self.device_placement(), self.get_inference_context()():
            outputs = self._forward(to_device(model_inputs, self.device), **forward_params)
            return to_device(outputs, torch.device("cpu"))

    def get_inference_context(self) -> Callable[[], contextlib.AbstractContextManager]:
        """Return the context in which the model runs (`torch.no_grad`: the outputs may be trained on)."""
        return torch.no_grad

    @contextlib.contextmanager
    def device_placement(self) -> Iterator[None]:
        """Make the pipeline's device the current one."""
        with torch.cuda.device(self.device) if self.device.type == "cuda" else contextlib.nullcontext():
            yield

    def ensure_tensor_on_device(self, **inputs: Any) -> dict[str, Any]:
        """Return the same mapping with its tensors on the pipeline's device."""
        return to_device(inputs, self.device)

    @property
    def torch_dtype(self) -> torch.dtype | None:
        """The floating-point type of the model's weights."""
        return getattr(self.model, "dtype", None)

    dtype = torch_dtype

    # ---- from inputs to answers

    def _parameters_of_a_call(self, kwargs: dict[str, Any]) -> Parameters:
        preprocess, forward, postprocess = self._sanitize_parameters(**kwargs)
        return Parameters(
            {**self._preprocess_params, **preprocess},
            {**self._forward_params, **forward},
            {**self._postprocess_params, **postprocess},
        )

    def _pieces(self, inputs: Any, parameters: dict[str, Any]) -> list[Any]:
        """Return the model inputs of one raw input (several in a `ChunkPipeline`)."""
        return [self.preprocess(inputs, **parameters)]

    def _answer(self, outputs: list[Any], parameters: dict[str, Any]) -> Any:
        """Return the answer from the outputs of all pieces of one raw input."""
        return self.postprocess(outputs[0], **parameters)

    def _row(self, model_outputs: Any, row: int, length: int) -> Any:
        """Return one row of a batch's outputs as a batch of one; `length` is what it had before padding."""
        return take_row(model_outputs, row)

    def _most_padding(self, forward_params: dict[str, Any]) -> float:
        """Return the greatest share of a batch that may be padding."""
        return MOST_PADDING

    def _padding_rule(self) -> PaddingRule:
        """Return what batches are padded with, and on which side."""
        rule = PaddingRule.of(self.tokenizer, self.feature_extractor or self.image_processor)
        return rule if self.batch_padding_side is None else replace(rule, side=self.batch_padding_side)

    def _answers(
        self,
        inputs: Any,
        num_workers: int,
        batch_size: int,
        look_ahead: int,
        parameters: Parameters,
    ) -> Iterator[Any]:
        """Yield the answers in the order of the inputs, reading at most `look_ahead` batches ahead."""
        if num_workers:
            prepared = preprocess_in_workers(inputs, self._pieces, parameters.preprocess, num_workers)
        else:
            prepared = (self._pieces(item, parameters.preprocess) for item in iterate(inputs))
        if batch_size == 1:
            for pieces in prepared:
                outputs = [self.forward(piece, **parameters.forward) for piece in pieces]
                yield self._answer(outputs, parameters.postprocess)
            return
        rule = self._padding_rule()
        while window := list(islice(prepared, look_ahead * batch_size)):
            yield from self._answer_window(window, batch_size, rule, parameters)

    def _answer_window(
        self, window: list[list[Any]], batch_size: int, rule: PaddingRule, parameters: Parameters
    ) -> list[Any]:
        """Answer the inputs of a window in batches of similar length."""
        places = [(owner, part) for owner, pieces in enumerate(window) for part in range(len(pieces))]
        lengths = [input_length(window[owner][part]) for owner, part in places]
        outputs: list[list[Any]] = [[None] * len(pieces) for pieces in window]
        missing = [len(pieces) for pieces in window]
        answers = [None if pieces else self._answer([], parameters.postprocess) for pieces in window]
        for batch in plan_batches(lengths, batch_size, self._most_padding(parameters.forward)):
            chosen = [places[index] for index in batch]
            model_inputs = pad_batch([window[owner][part] for owner, part in chosen], rule)
            model_outputs = self.forward(model_inputs, **parameters.forward)
            for row, (owner, part) in enumerate(chosen):
                outputs[owner][part] = self._row(model_outputs, row, lengths[batch[row]])
                missing[owner] -= 1
                if not missing[owner]:
                    answers[owner] = self._answer(outputs[owner], parameters.postprocess)
                    outputs[owner] = []
        return answers

    # ---- saving and checking

    def save_pretrained(self, save_directory: str | os.PathLike[str], **kwargs: Any) -> None:
        """Save the model and what prepares its input into a folder.

        The code of a pipeline that you wrote and registered is saved too, and named in the configuration
        (`custom_pipelines`), so that `pipeline(task, folder, trust_remote_code=True)` finds it.

        Args:
            save_directory: the folder; it is made when it does not exist.
            kwargs: passed to the model's `save_pretrained` (`safe_serialization`, `max_shard_size` ...).

        Raises:
            NotADirectoryError: `save_directory` is a file.
        """
        folder = folder_to_save_in(save_directory)
        save_code(self, folder)
        self.model.save_pretrained(folder, **kwargs)
        for part in (self.tokenizer, self.feature_extractor, self.image_processor):
            if part is not None:
                part.save_pretrained(folder)

    def check_model_type(self, supported_models: Sequence[str] | Mapping[Any, str]) -> None:
        """Log an error when the model's class is not one of the names (or of the mapping's values)."""
        names = list(supported_models.values() if isinstance(supported_models, Mapping) else supported_models)
        name = type(self.model).__name__
        if name not in names:
            logger.error(
                f"The model '{name}' is not supported for {self.task}. Supported models are {names}."
            )


class ChunkPipeline(Pipeline):
    """A pipeline in which one input may need several forward passes.

    `preprocess` yields several model inputs, `batch_size` counts those, and `postprocess` receives
    the list of their outputs.
    """

    def _pieces(self, inputs: Any, parameters: dict[str, Any]) -> list[Any]:
        return list(self.preprocess(inputs, **parameters))

    def _answer(self, outputs: list[Any], parameters: dict[str, Any]) -> Any:
        return self.postprocess(outputs, **parameters)


def _first_given(*values: int | None) -> int:
    return next(value for value in values if value is not None)
