"""What an adapter is: its method, its shape, and the layers it sits on; stored as `adapter_config.json`.

The names, arguments and defaults are PEFT's (https://huggingface.co/docs/peft), so are those in the file.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, TypeVar

from ..hub import HubOptions, cached_file
from ..utils.enums import ExplicitEnum
from ..utils.files import folder_to_save_in, read_json_object, write_text

__all__ = [
    "CONFIG_NAME",
    "AdaLoraConfig",
    "IA3Config",
    "LoraConfig",
    "PeftConfig",
    "PeftType",
    "PromptTuningConfig",
    "PromptTuningInit",
    "TaskType",
]

CONFIG_NAME = "adapter_config.json"

Config = TypeVar("Config", bound="PeftConfig")
Names = list[str] | set[str] | tuple[str, ...] | str

# what PEFT writes into every file and what has no meaning here, with the values that change nothing
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "megatron_core": ("megatron.core",),
    "qalora_group_size": (16,),
    "runtime_config": ({"ephemeral_gpu_offload": False},),
}


class PeftType(ExplicitEnum):
    """The methods."""

    LORA = "LORA"
    IA3 = "IA3"
    ADALORA = "ADALORA"
    PROMPT_TUNING = "PROMPT_TUNING"


class TaskType(ExplicitEnum):
    """What the model is used for."""

    SEQ_CLS = "SEQ_CLS"
    SEQ_2_SEQ_LM = "SEQ_2_SEQ_LM"
    CAUSAL_LM = "CAUSAL_LM"
    TOKEN_CLS = "TOKEN_CLS"
    QUESTION_ANS = "QUESTION_ANS"
    FEATURE_EXTRACTION = "FEATURE_EXTRACTION"


class PromptTuningInit(ExplicitEnum):
    """What virtual tokens begin as: the embeddings of a text, of tokens by chance, or random numbers."""

    TEXT = "TEXT"
    SAMPLE_VOCAB = "SAMPLE_VOCAB"
    RANDOM = "RANDOM"


@dataclass
class PeftConfig:
    """What all adapters have; `PeftConfig.from_pretrained` returns the class of the method that a file names.

    Args:
        task_type: what the model is used for, see `TaskType`; None when it does not matter.
        peft_type: the method; each class knows its own.
        base_model_name_or_path: the model that the adapter belongs to; set when it is added to one.
        revision: the base model's.
        inference_mode: True for an adapter that is used and not trained; so are those in files.
        auto_mapping: written by PEFT for models outside its tasks; kept.
        peft_version: the release of PEFT that wrote the file, if one did.

    Raises:
        ValueError: `task_type` is unknown.
    """

    method: ClassVar[PeftType | None] = None

    task_type: TaskType | str | None = None
    peft_type: PeftType | str | None = None
    base_model_name_or_path: str | None = None
    revision: str | None = None
    inference_mode: bool = False
    auto_mapping: dict[str, Any] | None = None
    peft_version: str | None = None

    def __post_init__(self) -> None:
        if self.task_type is not None:
            self.task_type = TaskType(_value(self.task_type))
        if self.method is not None:
            self.peft_type = self.method
        elif self.peft_type is not None:
            self.peft_type = PeftType(_value(self.peft_type))

    @property
    def is_prompt_learning(self) -> bool:
        """Whether the adapter adds to the input, and not to layers."""
        return self.peft_type == PeftType.PROMPT_TUNING

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON knows them: enumerations as text, sets as sorted lists."""
        return {name: _plain(value) for name, value in dataclasses.asdict(self).items()}

    @classmethod
    def from_dict(cls: type[Config], values: dict[str, Any]) -> Config:
        """Make a configuration of what `to_dict` (or PEFT's) gives: of the class that `peft_type` names.

        Settings of PEFT that do not exist here are passed over while they are off.

        Raises:
            ValueError: there is no such method here, a setting is on that does not exist here, or values do
                not go together.
        """
        values = dict(values)
        wanted: type[PeftConfig] = cls
        if cls is PeftConfig and values.get("peft_type") is not None:
            wanted = _class_of(values["peft_type"])
        known = {entry.name for entry in dataclasses.fields(wanted)}
        if wanted is PeftConfig and values.keys() - known:
            raise ValueError(
                "The configuration does not say which method it is of: `peft_type` is missing, and is one of "
                f"{', '.join(choice.value for choice in PeftType)}."
            )
        for name in sorted(values.keys() - known):
            value = values.pop(name)
            if value and value not in _WITHOUT_EFFECT.get(name, ()):
                raise ValueError(
                    f"This adapter needs `{name}={value!r}`, which {wanted.__name__} does not have here; its "
                    f"settings are {', '.join(sorted(known))}. Where the weights mean the same without it, "
                    f"take it out of {CONFIG_NAME}."
                )
        return wanted(**values)  # type: ignore[return-value]

    @classmethod
    def from_pretrained(
        cls: type[Config], pretrained_model_name_or_path: str | os.PathLike[str], **kwargs: Any
    ) -> Config:
        """Read `adapter_config.json` from a folder, or from a repository on the hub.

        Args:
            pretrained_model_name_or_path: the folder, or the repository's name.
            kwargs: `cache_dir`, `revision`, `subfolder`, `token`, ...: see `nanoformers.hub.HubOptions`.

        Raises:
            OSError: there is no such file, or it is no JSON.
            TypeError: there are other arguments.
            ValueError: see `from_dict`.
        """
        options = HubOptions.take_from(kwargs)
        if kwargs:
            raise TypeError(
                f"{cls.__name__}.from_pretrained got unexpected keyword arguments: {', '.join(kwargs)}. Set "
                "attributes of what it returns."
            )
        path = cached_file(pretrained_model_name_or_path, CONFIG_NAME, options)
        assert path is not None
        return cls.from_dict(read_json_object(path, "configuration of an adapter"))

    def save_pretrained(self, save_directory: str | os.PathLike[str]) -> None:
        """Write `adapter_config.json` into a folder, which is created if needed."""
        folder = folder_to_save_in(save_directory)
        text = json.dumps(self.to_dict(), indent=2, sort_keys=True)
        write_text(folder / CONFIG_NAME, text + "\n")


@dataclass
class LayersConfig(PeftConfig):
    """What the methods have in common that sit on layers.

    Args:
        target_modules: which layers: a list of (last parts of) names, a regular expression for whole names,
            or "all-linear" for all linear layers but the head; by default those usual for the architecture.
        exclude_modules: names or a regular expression of layers to leave out.
        fan_in_fan_out: whether weights are stored (in, out), as in `Conv1D`; found out by itself.
        modules_to_save: (last parts of) names of modules, such as a new classifier, of which the adapter has
            a copy of its own that is trained and saved whole.

    Raises:
        ValueError: a regular expression is none, or `modules_to_save` is a text.
    """

    target_modules: Names | None = None
    exclude_modules: Names | None = None
    fan_in_fan_out: bool = False
    modules_to_save: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.target_modules = _as_names("target_modules", self.target_modules)
        self.exclude_modules = _as_names("exclude_modules", self.exclude_modules)
        if isinstance(self.modules_to_save, str):
            raise ValueError(
                f"`modules_to_save` is a list of names: [{self.modules_to_save!r}], not "
                f"{self.modules_to_save!r}."
            )


@dataclass
class LoraConfig(LayersConfig):
    """LoRA: a product of two narrow matrices is added to a weight (https://arxiv.org/abs/2106.09685).

    Args:
        r: their rank.
        lora_alpha: the product is multiplied by `lora_alpha / r`.
        lora_dropout: probability of dropout on what goes into it.
        bias: "none"; "lora_only" or "all" also train biases of the adapted layers, or of all: these belong to
            the base model, which then does not stay as it was.
        use_rslora: multiply by `lora_alpha / sqrt(r)` (https://arxiv.org/abs/2312.03732).
        init_lora_weights: True for an adapter that changes nothing at first; "gaussian" for the same from
            another distribution; False for random weights.
        layers_to_transform: number or numbers of the model's layers, the others get none; with a list of
            `target_modules` only.
        layers_pattern: the name of the list of layers in the model ("h"), when it is not the first number in
            a name that counts.
        rank_pattern: {name or regular expression: another rank}.
        alpha_pattern: {name or regular expression: another `lora_alpha`}.
        use_dora: learn lengths and directions of weights apart (https://arxiv.org/abs/2402.09353); slower.
        lora_bias: give the second matrix a bias.

    Raises:
        ValueError: values do not go together.
    """

    method = PeftType.LORA

    r: int = 8
    lora_alpha: int = 8
    lora_dropout: float = 0.0
    bias: str = "none"
    use_rslora: bool = False
    init_lora_weights: bool | str = True
    layers_to_transform: list[int] | int | None = None
    layers_pattern: list[str] | str | None = None
    rank_pattern: dict[str, Any] | None = field(default_factory=dict)
    alpha_pattern: dict[str, Any] = field(default_factory=dict)
    use_dora: bool = False
    lora_bias: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.r, int) or self.r <= 0:
            raise ValueError(f"`r` should be a positive integer value but the value passed is {self.r}")
        if self.bias not in ("none", "all", "lora_only"):
            raise ValueError(f"`bias` is {self.bias!r}; there are 'none', 'all' and 'lora_only'.")
        if not isinstance(self.init_lora_weights, bool) and self.init_lora_weights != "gaussian":
            raise ValueError(
                f"`init_lora_weights` is {self.init_lora_weights!r}; there are True, False and 'gaussian'."
            )
        if isinstance(self.target_modules, str) and self.layers_to_transform is not None:
            raise ValueError("`layers_to_transform` cannot be used when `target_modules` is a str.")
        if self.use_dora and self.lora_bias:
            raise ValueError("`lora_bias` is not supported with `use_dora`: take one of them.")
        if self.layers_pattern and self.layers_to_transform is None:
            raise ValueError(
                "When `layers_pattern` is specified, `layers_to_transform` must also be specified."
            )


@dataclass
class AdaLoraConfig(LoraConfig):
    """AdaLoRA: LoRA whose layers share a budget of ranks, which shrinks (https://arxiv.org/abs/2303.10512).

    Training has three parts: `tinit` steps with all ranks; then the least important ranks are set to 0, until
    `tfinal` steps before the end; the last steps train what is left. `r` is not used.

    Args:
        target_r: ranks a layer in the end, on average.
        init_r: ranks of each layer at first.
        tinit: steps before ranks are taken away.
        tfinal: steps after that.
        deltaT: ranks are taken away every so many steps.
        beta1: how slowly the importance of a weight follows its sensitivity.
        beta2: how slowly its uncertainty does.
        orth_reg_weight: how much the loss counts that the two matrices are not orthogonal.
        total_step: steps of the whole training.
        rank_pattern: {name of a layer's `lora_E`: which ranks are left}; found in training.

    Raises:
        ValueError: the steps leave no time to take ranks away, or `total_step` is missing.
    """

    method = PeftType.ADALORA

    target_r: int = 8
    init_r: int = 12
    tinit: int = 0
    tfinal: int = 0
    deltaT: int = 1  # noqa: N815 - the name in the file
    beta1: float = 0.85
    beta2: float = 0.85
    orth_reg_weight: float = 0.5
    total_step: int | None = None
    rank_pattern: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.use_dora:
            raise ValueError("AdaLoRA does not support `use_dora`.")
        if self.total_step is None or self.total_step <= 0:
            raise ValueError("AdaLoRA does not work when `total_step` is None, supply a value > 0.")
        if self.orth_reg_weight < 0:
            raise ValueError(f"`orth_reg_weight` has to be 0 or more, and is {self.orth_reg_weight}.")
        if not (0 < self.beta1 < 1 and 0 < self.beta2 < 1):
            raise ValueError(f"`beta1` ({self.beta1}) and `beta2` ({self.beta2}) have to be between 0 and 1.")
        if self.target_r > self.init_r:
            raise ValueError(f"`target_r` ({self.target_r}) is more than `init_r` ({self.init_r}).")
        if self.tinit >= self.total_step - self.tfinal:
            raise ValueError(
                "The supplied schedule values don't allow for a budgeting phase. Decrease `tfinal`/`tinit` "
                "or increase `total_step`."
            )


@dataclass
class IA3Config(LayersConfig):
    """(IA)³: each number in the output of a layer is multiplied by a factor (https://arxiv.org/abs/2205.05638).

    Args:
        feedforward_modules: those of `target_modules` whose input is multiplied in place of the output.
        init_ia3_weights: begin with ones, which change nothing; otherwise at random.

    Raises:
        ValueError: `feedforward_modules` are not among `target_modules`.
    """

    method = PeftType.IA3

    feedforward_modules: Names | None = None
    init_ia3_weights: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.feedforward_modules = _as_names("feedforward_modules", self.feedforward_modules)
        if isinstance(self.feedforward_modules, set) and isinstance(self.target_modules, set):
            strange = self.feedforward_modules - self.target_modules
            if strange:
                raise ValueError(
                    "`feedforward_modules` should be a subset of `target_modules`, which lacks "
                    f"{', '.join(sorted(strange))}."
                )


@dataclass
class PromptTuningConfig(PeftConfig):
    """Prompt tuning: learned embeddings stand before those of the text (https://arxiv.org/abs/2104.08691).

    Args:
        num_virtual_tokens: how many.
        token_dim: their width; the model's.
        num_transformer_submodules: 2 for an encoder-decoder, where the file has as many again; the encoder
            reads the first half.
        num_attention_heads: the model's, for the file.
        num_layers: the model's, for the file.
        modules_to_save: as in `LoraConfig`.
        prompt_tuning_init: what they begin as.
        prompt_tuning_init_text: the text, for "TEXT".
        tokenizer_name_or_path: the tokenizer of that text.
        tokenizer_kwargs: arguments of its `from_pretrained`.

    Raises:
        ValueError: the text, its tokenizer or the number of tokens is missing.
    """

    method = PeftType.PROMPT_TUNING

    num_virtual_tokens: int | None = None
    token_dim: int | None = None
    num_transformer_submodules: int | None = None
    num_attention_heads: int | None = None
    num_layers: int | None = None
    modules_to_save: list[str] | None = None
    prompt_tuning_init: PromptTuningInit | str = PromptTuningInit.RANDOM
    prompt_tuning_init_text: str | None = None
    tokenizer_name_or_path: str | None = None
    tokenizer_kwargs: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.prompt_tuning_init = PromptTuningInit(_value(self.prompt_tuning_init))
        if not self.num_virtual_tokens or self.num_virtual_tokens < 0:
            raise ValueError(f"`num_virtual_tokens` is {self.num_virtual_tokens}; it has to be 1 or more.")
        if self.prompt_tuning_init == PromptTuningInit.TEXT:
            for name in ("tokenizer_name_or_path", "prompt_tuning_init_text"):
                if getattr(self, name) is None:
                    raise ValueError(f"When prompt_tuning_init='TEXT', {name} can't be None.")
        elif self.tokenizer_kwargs:
            raise ValueError("tokenizer_kwargs only valid when using prompt_tuning_init='TEXT'.")


_CLASSES = (LoraConfig, IA3Config, AdaLoraConfig, PromptTuningConfig)


def _class_of(peft_type: Any) -> type[PeftConfig]:
    """Return the configuration of a method."""
    for config_class in _CLASSES:
        if _value(peft_type) == config_class.method:
            return config_class
    raise ValueError(
        f"There is no method {_value(peft_type)!r} here; there are "
        f"{', '.join(choice.value for choice in PeftType)}."
    )


def _value(choice: Any) -> Any:
    """Return the text of a member of any enumeration."""
    return choice.value if isinstance(choice, Enum) else choice


def _plain(value: Any) -> Any:
    if isinstance(value, set):
        return sorted(value)
    return _value(value)


def _as_names(argument: str, names: Names | None) -> Any:
    """Make a list of names a set, and leave a regular expression (and None) as it is, if it is one."""
    if isinstance(names, str):
        try:
            re.compile(names)
        except re.error as error:
            raise ValueError(f"`{argument}` is no regular expression: {names!r} ({error}).") from error
    return names if names is None or isinstance(names, str) else set(names)
