"""`AutoTokenizer`: the tokenizer class that a checkpoint's files ask for.

Mirrors the documentation page `autoclass_tutorial`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ..hub import HubOptions, cached_file, checkpoint_name, commit_of
from ..tokenization import PreTrainedTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast
from ..tokenization.files import TOKENIZER_CONFIG_FILE, read_json
from ..utils import logging
from .registry import ARCHITECTURES, architecture_of
from .remote_code import remote_class, where_to_look

if TYPE_CHECKING:
    from ..configuration import PretrainedConfig

__all__ = ["AutoTokenizer"]

logger = logging.get_logger(__name__)

CONFIG_FILE = "config.json"
# Names that say "a tokenizer over the `tokenizers` library", and nothing about the architecture.
GENERIC_FAST = ("TokenizersBackend", "PreTrainedTokenizerFast", "PreTrainedTokenizer")


class AutoTokenizer:
    """Finds the right tokenizer class for a checkpoint; it is not a tokenizer itself."""

    def __init__(self) -> None:
        raise OSError(
            "AutoTokenizer is designed to be instantiated using the "
            "`AutoTokenizer.from_pretrained(pretrained_model_name_or_path)` method."
        )

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *inputs: Any, **kwargs: Any
    ) -> PreTrainedTokenizerBase:
        """Load the tokenizer of a checkpoint.

        The class is the one that tokenizer_config.json names, or else the one of the `model_type` in
        config.json.

        Args:
            pretrained_model_name_or_path: a folder that `save_pretrained` wrote, or the name of a repository
                on the hub.
            inputs: positional arguments of the class.
            kwargs: `use_fast=True` (the fast class if there is one), `tokenizer_type` (a `model_type`, used
                in place of what the files say), `config` (used in place of config.json),
                `trust_remote_code=True` to run the code of a tokenizer that the checkpoint brings along (of
                `code_revision`, if that is another repository's), those of `HubOptions`; others go to the
                class.

        Raises:
            OSError: no tokenizer is found under this name.
            ValueError: the files do not say which class is needed, or name one that does not exist here; or
                the checkpoint brings code along that is not trusted.
        """
        config = kwargs.pop("config", None)
        use_fast = kwargs.pop("use_fast", True)
        tokenizer_type = kwargs.pop("tokenizer_type", None)
        trust = {"trust_remote_code": kwargs.pop("trust_remote_code", None)}
        trust |= where_to_look(kwargs) | {"code_revision": kwargs.pop("code_revision", None)}
        options = HubOptions.take_from(kwargs)
        name = checkpoint_name(pretrained_model_name_or_path)

        if tokenizer_type is not None:
            chosen = _of_model_type(tokenizer_type, use_fast)
            if chosen is None:
                raise _refusal(name, f"`tokenizer_type={tokenizer_type!r}`", use_fast)
        else:
            chosen, options = _choose(name, config, use_fast, trust, options)
        return chosen.from_pretrained(name, *inputs, **{**_as_arguments(options), **kwargs})

    @staticmethod
    def register(
        config_class: type[PretrainedConfig],
        slow_tokenizer_class: type[PreTrainedTokenizer] | None = None,
        fast_tokenizer_class: type[PreTrainedTokenizerFast] | None = None,
        exist_ok: bool = False,
    ) -> None:
        """Make tokenizer classes of your own known, for the configuration class of their model.

        Args:
            config_class: the configuration; its `model_type` is what checkpoints name.
            slow_tokenizer_class: the class in pure Python; one of the two may be left out.
            fast_tokenizer_class: the class over the `tokenizers` library.
            exist_ok: whether classes that are known already may be replaced.

        Raises:
            ValueError: no class is given, one is in the other's place, the two do not belong together, the
                configuration is not known (`AutoConfig.register` makes it so), or its tokenizers are already.
        """
        slow, fast = slow_tokenizer_class, fast_tokenizer_class
        if slow is None and fast is None:
            raise ValueError("Pass a `slow_tokenizer_class`, a `fast_tokenizer_class`, or both.")
        if slow is not None and issubclass(slow, PreTrainedTokenizerFast):
            raise ValueError("You passed a fast tokenizer in the `slow_tokenizer_class`.")
        if fast is not None and issubclass(fast, PreTrainedTokenizer):
            raise ValueError("You passed a slow tokenizer in the `fast_tokenizer_class`.")
        if slow is not None and fast is not None and fast.slow_tokenizer_class not in (None, slow):
            raise ValueError(
                f"The fast class {fast.__name__} says that its `slow_tokenizer_class` is "
                f"{fast.slow_tokenizer_class}, and {slow.__name__} was passed beside it: make them the same."
            )
        architecture = architecture_of(config_class)
        if architecture is None:
            raise ValueError(
                f"{config_class.__name__} is not known: call "
                f"`AutoConfig.register({config_class.model_type!r}, {config_class.__name__})` first."
            )
        if architecture.tokenizers != (None, None) and not exist_ok:
            raise ValueError(
                f"'{config_class}' is already used by a Transformers tokenizer: pass `exist_ok=True` to "
                f"replace {architecture.tokenizers}."
            )
        architecture.tokenizers = (slow or architecture.tokenizers[0], fast or architecture.tokenizers[1])


def _choose(
    name: str,
    config: PretrainedConfig | None,
    use_fast: bool,
    trust: dict[str, Any],
    options: HubOptions,
) -> tuple[type[PreTrainedTokenizerBase], HubOptions]:
    """Return the class that the files ask for, and the options pinned to the commit they came from."""
    path = cached_file(name, TOKENIZER_CONFIG_FILE, options, required=False)
    options = options.at(commit_of(path))
    tokenizer_config = read_json(path) if path else {}
    wanted = tokenizer_config.get("tokenizer_class")
    references = _references(name, tokenizer_config, config, options)
    if references is not None:
        slow, fast = references
        own = _of_class_name(wanted, use_fast) if wanted is not None and wanted not in GENERIC_FAST else None
        remote = remote_class(
            "AutoTokenizer",
            PreTrainedTokenizerBase,
            (fast if use_fast and fast is not None else slow) or fast,
            name,
            has_local_code=own is not None,
            _commit_hash=commit_of(path),
            **trust,
        )
        if remote is not None:
            return remote, options
    if wanted is not None and wanted not in GENERIC_FAST:
        chosen = _of_class_name(wanted, use_fast)
        if chosen is not None:
            return chosen, options
        raise _refusal(name, f"{TOKENIZER_CONFIG_FILE} names the class {wanted}", use_fast)

    model_type, config_class_name = _model_type(name, config, options, required=wanted is None)
    if config_class_name is not None and wanted is None:
        chosen = _of_class_name(config_class_name, use_fast)
        if chosen is not None:
            return chosen, options
    chosen = None if model_type is None else _of_model_type(model_type, use_fast)
    if chosen is not None:
        return chosen, options
    if wanted in GENERIC_FAST and use_fast:
        return PreTrainedTokenizerFast, options
    raise _refusal(name, f"{CONFIG_FILE} names the model type {model_type}", use_fast)


def _references(
    name: str, tokenizer_config: dict[str, Any], config: PretrainedConfig | None, options: HubOptions
) -> tuple[str | None, str | None] | None:
    """Return where the code of the Python and of the fast class is; None when the checkpoint has none."""
    auto_map = tokenizer_config.get("auto_map")
    entry = auto_map.get("AutoTokenizer") if isinstance(auto_map, dict) else auto_map
    if entry is None and config is not None:
        entry = (getattr(config, "auto_map", None) or {}).get("AutoTokenizer")
    elif entry is None and "tokenizer_class" not in tokenizer_config:
        path = cached_file(name, CONFIG_FILE, options, required=False)
        entry = (read_json(path) if path else {}).get("auto_map", {}).get("AutoTokenizer")
    if entry is None:
        return None
    return (entry, None) if isinstance(entry, str) else (entry[0], entry[1])


def _model_type(
    name: str, config: PretrainedConfig | None, options: HubOptions, required: bool
) -> tuple[str | None, str | None]:
    """Return `model_type` and `tokenizer_class` of the configuration."""
    if config is not None:
        return config.model_type, getattr(config, "tokenizer_class", None)
    path = cached_file(name, CONFIG_FILE, options, required=required)
    values = read_json(path) if path else {}
    return values.get("model_type"), values.get("tokenizer_class")


def _of_class_name(class_name: str, use_fast: bool) -> type[PreTrainedTokenizerBase] | None:
    """Return the class of that name, with or without "Fast" as asked; None when neither exists."""
    stem = class_name.removesuffix("Fast")
    slow, fast = (
        next(
            (
                architecture.resolve(name)
                for architecture in ARCHITECTURES.values()
                for name in architecture.tokenizers
                if name is not None and wanted in (name, getattr(name, "__name__", None))
            ),
            None,
        )
        for wanted in (stem, f"{stem}Fast")
    )
    return _preferred(slow, fast, use_fast, stem)


def _of_model_type(model_type: str, use_fast: bool) -> type[PreTrainedTokenizerBase] | None:
    architecture = ARCHITECTURES.get(model_type)
    if architecture is None:
        return None
    slow, fast = (None if name is None else architecture.resolve(name) for name in architecture.tokenizers)
    return _preferred(slow, fast, use_fast, model_type)


def _preferred(slow: Any, fast: Any, use_fast: bool, what: str) -> type[PreTrainedTokenizerBase] | None:
    if use_fast:
        return fast if fast is not None else slow
    if slow is None and fast is not None:
        raise ValueError(f"There is no tokenizer in pure Python for {what}: leave `use_fast=False` out.")
    return slow


def _refusal(name: str, reason: str, use_fast: bool) -> ValueError:
    remedy = (
        "If the checkpoint has a tokenizer.json, `PreTrainedTokenizerFast.from_pretrained(name)` loads it as "
        "it is."
        if use_fast
        else "Perhaps there is a fast one: leave `use_fast=False` out."
    )
    return ValueError(
        f"No tokenizer class is known for {name}: {reason}. Known model types are: "
        f"{', '.join(sorted(ARCHITECTURES))}. {remedy}"
    )


def _as_arguments(options: HubOptions) -> dict[str, Any]:
    """Return the keywords that `HubOptions.take_from` makes `options` of."""
    return dict(vars(options))
