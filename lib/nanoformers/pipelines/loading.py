"""`pipeline()`: choose the classes and load the checkpoint for a task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils import logging
from .base import Pipeline
from .placement import resolve_dtype
from .registry import PIPELINE_REGISTRY

if TYPE_CHECKING:
    import torch

    from ..configuration import PretrainedConfig
    from ..modeling import PreTrainedModel
    from ..tokenization import PreTrainedTokenizerBase

logger = logging.get_logger(__name__)

_WITHOUT_TOKENIZER = {"audio", "image", "video"}


def pipeline(
    task: str | None = None,
    model: str | Path | PreTrainedModel | None = None,
    config: str | PretrainedConfig | None = None,
    tokenizer: str | tuple[str, dict[str, Any]] | PreTrainedTokenizerBase | None = None,
    feature_extractor: Any | None = None,
    image_processor: Any | None = None,
    framework: str | None = None,
    revision: str | None = None,
    use_fast: bool = True,
    token: str | bool | None = None,
    device: int | str | torch.device | None = None,
    device_map: Any | None = None,
    torch_dtype: str | torch.dtype | None = None,
    trust_remote_code: bool | None = None,
    model_kwargs: dict[str, Any] | None = None,
    pipeline_class: type[Pipeline] | None = None,
    **kwargs: Any,
) -> Pipeline:
    """Make a pipeline: a model with its tokenizer behind one call.

    Args:
        task: what to do, for example "text-classification" (`get_supported_tasks()` lists all). Without it,
            the task is read from the model's page on the hub.
        model: name of a repository, a local folder, or a model. Without it, the task's default checkpoint.
        config: the model's configuration, by name or as an object, when it is not the checkpoint's own.
        tokenizer: the same for the tokenizer; `(name, arguments)` is possible too.
        feature_extractor: object that prepares sound.
        image_processor: object that prepares pictures.
        framework: only "pt" (PyTorch).
        revision: branch, tag or commit of the model's repository.
        use_fast: prefer the fast tokenizer.
        token: access token for the hub, or True for the stored one.
        device: -1 or "cpu", a CUDA ordinal, or any torch device.
        device_map: not supported: pass `device`.
        torch_dtype: type of the weights, for example `torch.bfloat16`, or "auto" for the checkpoint's.
        trust_remote_code: allow code from the repository to run.
        model_kwargs: further arguments of the model's `from_pretrained`.
        pipeline_class: class to use in place of the task's own.
        kwargs: defaults of the pipeline's parameters (`batch_size`, `top_k` ...). `dtype` is the newer
            spelling of `torch_dtype`, `use_auth_token` the older one of `token`.

    Returns:
        The pipeline.

    Raises:
        KeyError: there is no such task.
        RuntimeError: neither task nor model is given, or the task cannot be read from the hub.
        ValueError: arguments that contradict each other or cannot be met.
        OSError: a file of the checkpoint cannot be had.

    Example:
        >>> classifier = pipeline("sentiment-analysis")
        >>> classifier("we love you")
        [{'label': 'POSITIVE', 'score': ...}]
    """
    model_kwargs = dict(model_kwargs or {})
    token = _one_of(kwargs.pop("use_auth_token", None), token, "use_auth_token", "token")
    torch_dtype = _one_of(kwargs.pop("dtype", None), torch_dtype, "dtype", "torch_dtype")
    in_model_kwargs = model_kwargs.pop("torch_dtype", None) or model_kwargs.pop("dtype", None)
    torch_dtype = resolve_dtype(
        _one_of(in_model_kwargs, torch_dtype, 'model_kwargs["torch_dtype"]', "torch_dtype")
    )
    if device_map is not None or "device_map" in model_kwargs:
        raise ValueError(
            "`device_map` is not supported by pipelines here. To put the whole model on one device "
            'pass `device`, for example `device="cuda:0"` or `device="cpu"`.'
        )
    if isinstance(model, Path):
        model = str(model)

    if task is None:
        task = _infer_task(model, revision, token)
    name, entry, _ = PIPELINE_REGISTRY.check_task(task)
    if model is None:
        for argument, value in {"tokenizer": tokenizer, "feature_extractor": feature_extractor}.items():
            if value is not None:
                raise RuntimeError(
                    f"`{argument}` is given without `model`; it may not fit the default model of {task!r}. "
                    "Pass the model that it belongs to."
                )
        model, default_revision = PIPELINE_REGISTRY.default_checkpoint(task)
        revision = revision if revision is not None else default_revision
        logger.warning(
            f"No model was supplied for {task!r}: using {model} (revision {revision or 'main'}). "
            "In production, name the model and its revision, so that neither changes under you."
        )

    hub: dict[str, Any] = {"revision": revision, "token": token}
    if trust_remote_code is not None:
        hub["trust_remote_code"] = trust_remote_code
    name_or_path = model if isinstance(model, str) else config if isinstance(config, str) else None
    if isinstance(model, str):
        model, hub = _load_model(entry, model, config, hub, model_kwargs, torch_dtype)
    if tokenizer is None and entry.get("type") not in _WITHOUT_TOKENIZER:
        if name_or_path is None:
            raise ValueError(
                "Impossible to guess which tokenizer to use for a model that is given as an object: "
                "pass `tokenizer`, as an object or as the name of a checkpoint."
            )
        tokenizer = (name_or_path, {})
    if isinstance(tokenizer, str | tuple):
        tokenizer = _load_tokenizer(tokenizer, name_or_path, use_fast, hub, model_kwargs)

    return (pipeline_class or entry["impl"])(
        model=model,
        tokenizer=tokenizer,
        feature_extractor=feature_extractor,
        image_processor=image_processor,
        framework=framework,
        task=name,
        device=device,
        torch_dtype=torch_dtype,
        **kwargs,
    )


def get_supported_tasks() -> list[str]:
    """Return the names of the tasks that `pipeline()` knows, aliases included."""
    return PIPELINE_REGISTRY.get_supported_tasks()


def check_task(task: str) -> tuple[str, dict[str, Any], Any]:
    """Look up a task: see `PipelineRegistry.check_task`."""
    return PIPELINE_REGISTRY.check_task(task)


def _one_of(first: Any, second: Any, first_name: str, second_name: str) -> Any:
    """Return the one that is given."""
    if first is not None and second is not None and first != second:
        raise ValueError(f"`{first_name}` and `{second_name}` are both given: keep `{second_name}`.")
    return second if first is None else first


def _infer_task(model: Any, revision: str | None, token: str | bool | None) -> str:
    """Read the task of a repository from its `pipeline_tag` on the hub."""
    from ..hub import is_offline

    if model is None:
        raise RuntimeError(
            "Impossible to instantiate a pipeline without either a task or a model being specified. "
            f"Pass a task, one of {get_supported_tasks()}, or the name of a model on the hub."
        )
    if not isinstance(model, str):
        raise RuntimeError(
            "Inferring the task automatically requires to check the hub with a model_id defined as a `str`; "
            f"a {type(model).__name__} has no page there. Pass `task`, one of {get_supported_tasks()}."
        )
    if Path(model).is_dir():
        raise RuntimeError(
            f"{model} is a local folder, and the task is read from a model's page on the hub. "
            f"Pass `task`, one of {get_supported_tasks()}."
        )
    if is_offline():
        raise RuntimeError(
            "You cannot infer task automatically within `pipeline` when using offline mode. "
            f"Pass `task`, one of {get_supported_tasks()}."
        )
    from huggingface_hub import model_info
    from huggingface_hub.errors import HFValidationError

    try:
        tag = model_info(model, revision=revision, token=token).pipeline_tag
    except (OSError, ValueError, RuntimeError, HFValidationError) as error:
        raise RuntimeError(
            f"The hub could not say which task {model} is for ({error}). Check the name, or pass `task`, "
            f"one of {get_supported_tasks()}."
        ) from error
    if not tag:
        raise RuntimeError(
            f"The model {model} does not seem to have a correct `pipeline_tag` set to infer the task "
            f"automatically. Pass `task`, one of {get_supported_tasks()}."
        )
    return tag


def _load_model(
    entry: dict[str, Any],
    name_or_path: str,
    config: str | PretrainedConfig | None,
    hub: dict[str, Any],
    model_kwargs: dict[str, Any],
    torch_dtype: str | torch.dtype | None,
) -> tuple[PreTrainedModel, dict[str, Any]]:
    """Load the model; return it, and the hub arguments pinned to the commit of its configuration."""
    from ..auto.configuration import AutoConfig

    if not entry["pt"]:
        raise ValueError(
            f"The task was registered without `pt_model`, so {name_or_path} cannot be loaded by name: "
            "pass a model object, or register the task with the class that loads its models."
        )
    if config is None or isinstance(config, str):
        files = _where_to_look(model_kwargs)
        loaded, model_kwargs = AutoConfig.from_pretrained(
            config or name_or_path, return_unused_kwargs=True, **{**model_kwargs, **hub}
        )
        model_kwargs = {**model_kwargs, **files}
        if config is None and getattr(loaded, "_commit_hash", None):
            hub = {**hub, "_commit_hash": loaded._commit_hash}
        config = loaded
    arguments = {**model_kwargs, **hub, "config": config}
    if torch_dtype is not None:
        arguments["torch_dtype"] = torch_dtype
    *earlier, last = entry["pt"]
    for auto_class in earlier:
        try:
            return auto_class.from_pretrained(name_or_path, **arguments), hub
        except ValueError:  # not an architecture for this head
            continue
    return last.from_pretrained(name_or_path, **arguments), hub


def _load_tokenizer(
    tokenizer: str | tuple[str, dict[str, Any]],
    model_name: str | None,
    use_fast: bool,
    hub: dict[str, Any],
    model_kwargs: dict[str, Any],
) -> PreTrainedTokenizerBase:
    """Load a tokenizer; the revision and commit are those of the model's repository only."""
    from ..auto.tokenization import AutoTokenizer

    name, arguments = (tokenizer, {}) if isinstance(tokenizer, str) else tokenizer
    if name != model_name:
        hub = {key: value for key, value in hub.items() if key not in ("revision", "_commit_hash")}
    files = _where_to_look(model_kwargs)
    return AutoTokenizer.from_pretrained(name, **{"use_fast": use_fast, **hub, **files, **arguments})


def _where_to_look(model_kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments about files, which hold for the configuration and the tokenizer too."""
    names = ("cache_dir", "force_download", "local_files_only", "subfolder")
    return {name: model_kwargs[name] for name in names if name in model_kwargs}
