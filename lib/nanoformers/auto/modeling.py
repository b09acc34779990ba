"""AutoModel and its kin: the model of a checkpoint, of whichever architecture, with the head you ask for."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from ..adapters.files import AdapterSource
from ..configuration import PretrainedConfig
from ..hub import HubOptions
from ..modeling import PreTrainedModel
from .configuration import AutoConfig
from .registry import architecture_of, model_classes
from .remote_code import remote_class, where_to_look

__all__ = [
    "AutoBackbone",
    "AutoModel",
    "AutoModelForAudioClassification",
    "AutoModelForAudioFrameClassification",
    "AutoModelForAudioXVector",
    "AutoModelForCTC",
    "AutoModelForCausalLM",
    "AutoModelForDepthEstimation",
    "AutoModelForDocumentQuestionAnswering",
    "AutoModelForImageClassification",
    "AutoModelForImageSegmentation",
    "AutoModelForImageToImage",
    "AutoModelForInstanceSegmentation",
    "AutoModelForMaskGeneration",
    "AutoModelForMaskedImageModeling",
    "AutoModelForMaskedLM",
    "AutoModelForMultipleChoice",
    "AutoModelForNextSentencePrediction",
    "AutoModelForObjectDetection",
    "AutoModelForPreTraining",
    "AutoModelForQuestionAnswering",
    "AutoModelForSemanticSegmentation",
    "AutoModelForSeq2SeqLM",
    "AutoModelForSequenceClassification",
    "AutoModelForSpeechSeq2Seq",
    "AutoModelForTableQuestionAnswering",
    "AutoModelForTextEncoding",
    "AutoModelForTextToSpectrogram",
    "AutoModelForTextToWaveform",
    "AutoModelForTokenClassification",
    "AutoModelForUniversalSegmentation",
    "AutoModelForVideoClassification",
    "AutoModelForVision2Seq",
    "AutoModelForVisualQuestionAnswering",
    "AutoModelForZeroShotImageClassification",
    "AutoModelForZeroShotObjectDetection",
]


class _AutoModelClass:
    """What all of them do; a subclass names its head, the key of `Architecture.models`.

    They are made by `from_pretrained` and `from_config` only.
    """

    head: ClassVar[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name = type(self).__name__
        raise OSError(
            f"{name} is designed to be instantiated using the "
            f"`{name}.from_pretrained(pretrained_model_name_or_path)` or `{name}.from_config(config)` "
            "methods."
        )

    @classmethod
    def from_config(cls, config: PretrainedConfig, **kwargs: Any) -> Any:
        """Build a model with random weights.

        Args:
            config: the configuration of an architecture that has this head.
            kwargs: `torch_dtype` (or `dtype`) of the weights, `attn_implementation`; `trust_remote_code`
                and `code_revision` for code that the configuration's checkpoint brings along.

        Raises:
            ValueError: the architecture has no such head (the message lists those that have), or its code is
                not trusted.
        """
        if not isinstance(config, PretrainedConfig):
            raise ValueError(
                f"`{cls.__name__}.from_config` takes a configuration, and not {config!r}: with the name of a "
                f"checkpoint, call `{cls.__name__}.from_pretrained`."
            )
        trust: dict[str, Any] = {
            name: kwargs.pop(name, None) for name in ("trust_remote_code", "code_revision")
        }
        where: dict[str, Any] = {"_commit_hash": config._commit_hash}
        return cls._model_class(config, config.name_or_path, **trust, **where)._from_config(config, **kwargs)

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *model_args: Any, **kwargs: Any
    ) -> Any:
        """Load a checkpoint, in the class that its configuration and this head name, in evaluation mode.

        Args:
            pretrained_model_name_or_path: a folder that `save_pretrained` wrote, or the name of a repository
                on the hub; of an adapter, its base model is loaded with it.
            model_args: passed to the model's class after the configuration.
            kwargs: as `PreTrainedModel.from_pretrained` takes them; `trust_remote_code=True` to run the code
                of a model that the checkpoint brings along, of `code_revision` if that is another
                repository's.

        Raises:
            OSError: there is no such checkpoint, or its files are damaged.
            ValueError: the architecture has no such head (the message lists those that have), or its code is
                not trusted.
        """
        adapter = AdapterSource.take_from(kwargs, pretrained_model_name_or_path, kwargs.get("config"))
        if adapter is not None:
            return adapter.with_base(cls.from_pretrained, *model_args, **kwargs)
        trust: dict[str, Any] = {
            name: kwargs.pop(name, None) for name in ("trust_remote_code", "code_revision")
        }
        where = where_to_look(kwargs)
        config, commit = kwargs.pop("config", None), kwargs.pop("_commit_hash", None)
        options = HubOptions.take_from(kwargs)
        if isinstance(config, PretrainedConfig):
            options = options.at(commit)
        else:
            # the caller's data type is for the model, not a change of the configuration
            dtypes: dict[str, Any] = {
                name: kwargs.pop(name) for name in ("torch_dtype", "dtype") if name in kwargs
            }
            config, kwargs = AutoConfig.from_pretrained(
                config if config is not None else pretrained_model_name_or_path,
                return_unused_kwargs=True,
                _commit_hash=commit,
                **trust,
                **vars(options),
                **kwargs,
            )
            kwargs |= dtypes
            if config.name_or_path == str(pretrained_model_name_or_path):
                options = options.at(config._commit_hash)
        where["_commit_hash"] = config._commit_hash
        return cls._model_class(config, str(pretrained_model_name_or_path), **trust, **where).from_pretrained(
            pretrained_model_name_or_path, *model_args, config=config, **vars(options), **kwargs
        )

    @classmethod
    def _model_class(
        cls, config: PretrainedConfig, name: str, *, trust_remote_code: bool | None, **where: Any
    ) -> Any:
        architecture = architecture_of(config)
        known_here = architecture is not None and cls.head in architecture.models
        remote = remote_class(
            cls.__name__,
            PreTrainedModel,
            (getattr(config, "auto_map", None) or {}).get(cls.__name__),
            name,
            trust_remote_code=trust_remote_code,
            has_local_code=known_here,
            **where,
        )
        if remote is not None:
            return remote
        if architecture is None or not known_here:
            known = ", ".join(name for name, _ in model_classes(cls.head))
            raise ValueError(
                f"Unrecognized configuration class {type(config)} for this kind of AutoModel: "
                f"{cls.__name__}.\nModel type should be one of {known or '(none has this head yet)'}."
            )
        return architecture.resolve(architecture.models[cls.head])

    @classmethod
    def register(
        cls, config_class: type[PretrainedConfig], model_class: type[PreTrainedModel], exist_ok: bool = False
    ) -> None:
        """Make a model of your own known, after its configuration (`AutoConfig.register`).

        Args:
            config_class: the class of its configurations.
            model_class: the model's class; its `config_class` is the first argument.
            exist_ok: take the place of the model that the architecture has for this head.

        Raises:
            ValueError: the classes do not belong together, the configuration is unknown, or it has a model.
        """
        if getattr(model_class, "config_class", None) is not config_class:
            raise ValueError(
                "The model class you are passing has a `config_class` attribute that is not consistent with "
                f"the config class you passed (model has {getattr(model_class, 'config_class', None)} and "
                f"you passed {config_class}. Fix one of those!"
            )
        architecture = architecture_of(config_class)
        if architecture is None:
            raise ValueError(
                f"{config_class} is not registered: call `AutoConfig.register({config_class.model_type!r}, "
                f"{config_class.__name__})` first."
            )
        if cls.head in architecture.models and not exist_ok:
            raise ValueError(f"'{config_class}' is already used by a Transformers model.")
        architecture.models[cls.head] = model_class


class AutoModel(_AutoModelClass):
    """The bare model, without a head."""

    head = ""


class AutoModelForAudioClassification(_AutoModelClass):
    """A sound's class."""

    head = "ForAudioClassification"


class AutoModelForAudioFrameClassification(_AutoModelClass):
    """The class of each frame of a sound."""

    head = "ForAudioFrameClassification"


class AutoModelForAudioXVector(_AutoModelClass):
    """A vector that recognises a speaker."""

    head = "ForAudioXVector"


class AutoModelForCTC(_AutoModelClass):
    """Speech to characters, aligned by connectionist temporal classification."""

    head = "ForCTC"


class AutoModelForCausalLM(_AutoModelClass):
    """A language model: the next token."""

    head = "ForCausalLM"


class AutoModelForDepthEstimation(_AutoModelClass):
    """The distance of each pixel."""

    head = "ForDepthEstimation"


class AutoModelForDocumentQuestionAnswering(_AutoModelClass):
    """An answer found on the picture of a page."""

    head = "ForDocumentQuestionAnswering"


class AutoModelForImageClassification(_AutoModelClass):
    """A picture's class."""

    head = "ForImageClassification"


class AutoModelForImageSegmentation(_AutoModelClass):
    """The segments of a picture."""

    head = "ForImageSegmentation"


class AutoModelForImageToImage(_AutoModelClass):
    """A picture made of a picture."""

    head = "ForImageToImage"


class AutoModelForInstanceSegmentation(_AutoModelClass):
    """The things in a picture, with their outlines."""

    head = "ForInstanceSegmentation"


class AutoModelForMaskGeneration(_AutoModelClass):
    """Masks of what is pointed at."""

    head = "ForMaskGeneration"


class AutoModelForMaskedImageModeling(_AutoModelClass):
    """The hidden patches of a picture."""

    head = "ForMaskedImageModeling"


class AutoModelForMaskedLM(_AutoModelClass):
    """Masked tokens."""

    head = "ForMaskedLM"


class AutoModelForMultipleChoice(_AutoModelClass):
    """One of several choices."""

    head = "ForMultipleChoice"


class AutoModelForNextSentencePrediction(_AutoModelClass):
    """Whether one text follows another."""

    head = "ForNextSentencePrediction"


class AutoModelForObjectDetection(_AutoModelClass):
    """The things in a picture, with their boxes."""

    head = "ForObjectDetection"


class AutoModelForPreTraining(_AutoModelClass):
    """What the model was first trained for."""

    head = "ForPreTraining"


class AutoModelForQuestionAnswering(_AutoModelClass):
    """The span of a context that answers a question."""

    head = "ForQuestionAnswering"


class AutoModelForSemanticSegmentation(_AutoModelClass):
    """The class of each pixel."""

    head = "ForSemanticSegmentation"


class AutoModelForSeq2SeqLM(_AutoModelClass):
    """An encoder-decoder language model: text from text."""

    head = "ForSeq2SeqLM"


class AutoModelForSequenceClassification(_AutoModelClass):
    """A text's class."""

    head = "ForSequenceClassification"


class AutoModelForSpeechSeq2Seq(_AutoModelClass):
    """Text from speech."""

    head = "ForSpeechSeq2Seq"


class AutoModelForTableQuestionAnswering(_AutoModelClass):
    """An answer found in a table."""

    head = "ForTableQuestionAnswering"


class AutoModelForTextEncoding(_AutoModelClass):
    """The states of a text, from an encoder alone."""

    head = "ForTextEncoding"


class AutoModelForTextToSpectrogram(_AutoModelClass):
    """A spectrogram of spoken text."""

    head = "ForTextToSpectrogram"


class AutoModelForTextToWaveform(_AutoModelClass):
    """The sound of spoken text."""

    head = "ForTextToWaveform"


class AutoModelForTokenClassification(_AutoModelClass):
    """The class of each token."""

    head = "ForTokenClassification"


class AutoModelForUniversalSegmentation(_AutoModelClass):
    """Segments, instances or both."""

    head = "ForUniversalSegmentation"


class AutoModelForVideoClassification(_AutoModelClass):
    """A video's class."""

    head = "ForVideoClassification"


class AutoModelForVision2Seq(_AutoModelClass):
    """Text from a picture."""

    head = "ForVision2Seq"


class AutoModelForVisualQuestionAnswering(_AutoModelClass):
    """An answer about a picture."""

    head = "ForVisualQuestionAnswering"


class AutoModelForZeroShotImageClassification(_AutoModelClass):
    """A picture's class, among classes named in words."""

    head = "ForZeroShotImageClassification"


class AutoModelForZeroShotObjectDetection(_AutoModelClass):
    """Boxes of things named in words."""

    head = "ForZeroShotObjectDetection"


class AutoBackbone(_AutoModelClass):
    """The feature maps of a vision model, for another model to use."""

    head = "Backbone"
