"""`pipeline()`: choose the classes and load the checkpoint for a task."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..adapters.files import AdapterSource
from ..configuration import PretrainedConfig
from ..utils import logging
from .base import Pipeline
from .custom import custom_entry, custom_tasks, the_only_task
from .inferring import get_task
from .placement import resolve_dtype
from .registry import PIPELINE_REGISTRY

if TYPE_CHECKING:
    import torch

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
        model: name of a repository, a local folder, or a model; an adapter's name or folder does as well.
            Without it, the task's default checkpoint.
        config: the model's configuration, by name or as an object, when it is not the checkpoint's own.
        tokenizer: the same for the tokenizer; `(name, arguments)` is possible too.
        feature_extractor: object that prepares sound.
        image_processor: object that prepares pictures.
        framework: only "pt" (PyTorch).
        revision: branch, tag or commit of the model's repository.
        use_fast: prefer the fast tokenizer.
        token: access token for the hub, or True for the stored one.
        device: -1 or "cpu", a CUDA ordinal, or any torch device.
        device_map: "auto" or a dictionary: which part of the model goes where (see
            `PreTrainedModel.from_pretrained`), in place of `device`.
        torch_dtype: type of the weights, for example `torch.bfloat16`, or "auto" for the checkpoint's.
        trust_remote_code: allow code from the repository to run: that of a model, or of a pipeline that the
            configuration names (`custom_pipelines`).
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
    if device_map is not None:
        model_kwargs["device_map"] = _one_of(
            model_kwargs.get("device_map"), device_map, 'model_kwargs["device_map"]', "device_map"
        )
    if device is not None and model_kwargs.get("device_map") is not None:
        raise ValueError(
            "Both `device` and `device_map` are specified. The map says where each part of the model goes, "
            "so the model cannot be moved to one device: remove `device` and keep `device_map`."
        )
    model = str(model) if isinstance(model, Path) else model

    hub: dict[str, Any] = {"revision": revision, "token": token}
    if trust_remote_code is not None:
        hub["trust_remote_code"] = trust_remote_code
    adapter: AdapterSource | None = None
    if isinstance(model, str):
        try:
            adapter, model, hub = _find_adapter(model, config, hub, model_kwargs)
            config, hub, model_kwargs = _load_config(model, config, hub, model_kwargs)
        except OSError:
            if task is not None:
                raise  # without a task, the hub is asked for it first
    name_or_path = model if isinstance(model, str) else config if isinstance(config, str) else None
    tasks = custom_tasks(config if isinstance(model, str) else getattr(model, "config", None))
    if task is None and trust_remote_code is not False:
        task = the_only_task(tasks)
    if task is None:
        task = get_task(model, token, revision)
    entry: dict[str, Any]
    if task in tasks:
        where = {**_where_to_look(model_kwargs), **hub, "code_revision": model_kwargs.get("code_revision")}
        where.pop("trust_remote_code", None)
        entry = custom_entry(tasks[task], name_or_path, pipeline_class, trust_remote_code, **where)
    else:
        _, entry, _ = PIPELINE_REGISTRY.check_task(task)

    if model is None:
        for argument, value in {"tokenizer": tokenizer, "feature_extractor": feature_extractor}.items():
            if value is not None:
                raise RuntimeError(
                    f"`{argument}` is given without `model`; it may not fit the default model of {task!r}. "
                    "Pass the model that it belongs to."
                )
        model, default_revision = PIPELINE_REGISTRY.default_checkpoint(task)
        hub["revision"] = revision if revision is not None else default_revision
        logger.warning(
            f"No model was supplied for {task!r}: using {model} (revision {hub['revision'] or 'main'}). "
            "In production, name the model and its revision, so that neither changes under you."
        )
        name_or_path = model
    if isinstance(model, str):
        if not isinstance(config, PretrainedConfig):
            config, hub, model_kwargs = _load_config(model, config, hub, model_kwargs)
        model = _load_model(entry, model, config, hub, model_kwargs, torch_dtype)
    if adapter is not None:
        adapter.add_to(model)
    if task == "translation":
        task = _first_translation(model.config) or task
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
        task=task,
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


def _find_adapter(
    name_or_path: str, config: Any, hub: dict[str, Any], model_kwargs: dict[str, Any]
) -> tuple[AdapterSource | None, str, dict[str, Any]]:
    """Return the adapter that `model` names, if it is one; the model to load; and its hub arguments."""
    where = {**hub, **_where_to_look(model_kwargs)}
    adapter = AdapterSource.take_from(where, name_or_path, config)
    if adapter is not None:
        return adapter, adapter.base, {**hub, "revision": adapter.revision}
    if "_commit_hash" in where:
        hub = {**hub, "_commit_hash": where["_commit_hash"]}
    return None, name_or_path, hub


def _load_config(
    name_or_path: str,
    config: str | PretrainedConfig | None,
    hub: dict[str, Any],
    model_kwargs: dict[str, Any],
) -> tuple[PretrainedConfig, dict[str, Any], dict[str, Any]]:
    """Load the configuration.

    Returns:
        It; the hub arguments, pinned to its commit when it is the model's own; and those arguments of the
        model that were not the configuration's.
    """
    from ..auto.configuration import AutoConfig

    if isinstance(config, PretrainedConfig):
        return config, hub, model_kwargs
    files = _where_to_look(model_kwargs)
    loaded, unused = AutoConfig.from_pretrained(
        config or name_or_path, return_unused_kwargs=True, **{**model_kwargs, **hub}
    )
    if config is None and getattr(loaded, "_commit_hash", None):
        hub = {**hub, "_commit_hash": loaded._commit_hash}
    return loaded, hub, {**unused, **files}


def _load_model(
    entry: dict[str, Any],
    name_or_path: str,
    config: PretrainedConfig,
    hub: dict[str, Any],
    model_kwargs: dict[str, Any],
    torch_dtype: str | torch.dtype | None,
) -> PreTrainedModel:
    """Load the model with the first of the task's classes that has its architecture."""
    if not entry["pt"]:
        raise ValueError(
            f"The task was registered without `pt_model`, so {name_or_path} cannot be loaded by name: "
            "pass a model object, or register the task with the class that loads its models."
        )
    arguments = {**model_kwargs, **hub, "config": config}
    if torch_dtype is not None:
        arguments["torch_dtype"] = torch_dtype
    *earlier, last = entry["pt"]
    for auto_class in earlier:
        try:
            return auto_class.from_pretrained(name_or_path, **arguments)
        except ValueError:  # not an architecture for this head
            continue
    return last.from_pretrained(name_or_path, **arguments)


def _first_translation(config: PretrainedConfig) -> str | None:
    """Return the first pair of languages that a configuration has settings for, as a task."""
    tasks = [task for task in config.task_specific_params or {} if task.startswith("translation")]
    if not tasks:
        return None
    warnings.warn(
        f'"translation" task was used, instead of "translation_XX_to_YY", defaulting to "{tasks[0]}"',
        UserWarning,
        stacklevel=3,
    )
    return tasks[0]


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
