"""How to generate, as data: `GenerationConfig`, read from and written to `generation_config.json`.

Mirrors the documentation page `main_classes/text_generation`. The file is interchangeable with the reference
library's, releases 4 and 5: whichever wrote it, the other reads it.
"""

from __future__ import annotations

import copy
import json
import os
import warnings
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from ..configuration import FORMAT_VERSION, PretrainedConfig
from ..hub import HubOptions, PushToHubMixin, cached_file
from ..utils.files import folder_to_save_in, read_json_object, write_text

__all__ = ["GENERATION_CONFIG_NAME", "GenerationConfig", "GenerationMode"]

GENERATION_CONFIG_NAME = "generation_config.json"

_DEFAULTS: dict[str, Any] = {
    # length
    "max_length": 20,
    "max_new_tokens": None,
    "min_length": 0,
    "min_new_tokens": None,
    "early_stopping": False,
    "max_time": None,
    # strategy
    "do_sample": False,
    "num_beams": 1,
    "num_beam_groups": 1,
    "penalty_alpha": None,
    "use_cache": True,
    # changes to the scores of the next token
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "diversity_penalty": 0.0,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "force_words_ids": None,
    "renormalize_logits": False,
    "constraints": None,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "remove_invalid_values": False,
    "exponential_decay_length_penalty": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "forced_decoder_ids": None,
    "sequence_bias": None,
    "guidance_scale": None,
    "low_memory": None,
    # what is returned
    "num_return_sequences": 1,
    "output_attentions": False,
    "output_hidden_states": False,
    "output_scores": False,
    "return_dict_in_generate": False,
    # special tokens
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
    # encoder-decoders
    "encoder_no_repeat_ngram_size": 0,
    "decoder_start_token_id": None,
    # assistants
    "num_assistant_tokens": 5,
    "num_assistant_tokens_schedule": "heuristic",
    "prompt_lookup_num_tokens": None,
    # anything else
    "generation_kwargs": {},
}
_SAMPLING_ONLY = ("temperature", "top_p", "typical_p", "top_k", "epsilon_cutoff", "eta_cutoff")
_BEAMS_ONLY = (
    "early_stopping",
    "num_beam_groups",
    "diversity_penalty",
    "length_penalty",
    "constraints",
)
_OF_GENERATE = (
    "logits_processor",
    "stopping_criteria",
    "prefix_allowed_tokens_fn",
    "synced_gpus",
    "assistant_model",
    "streamer",
    "negative_prompt_ids",
    "negative_prompt_attention_mask",
)
_AT_LEAST_ONE = ("max_length", "max_new_tokens", "num_beams", "num_beam_groups", "num_return_sequences")
_INNER_CONFIGS = ("decoder", "generator", "text_config")

Config = TypeVar("Config", bound="GenerationConfig")


class GenerationMode(str, Enum):
    """The strategies by which a next token is chosen."""

    GREEDY_SEARCH = "greedy_search"
    SAMPLE = "sample"
    CONTRASTIVE_SEARCH = "contrastive_search"
    ASSISTED_GENERATION = "assisted_generation"
    BEAM_SEARCH = "beam_search"
    BEAM_SAMPLE = "beam_sample"
    GROUP_BEAM_SEARCH = "group_beam_search"
    CONSTRAINED_BEAM_SEARCH = "constrained_beam_search"


class GenerationConfig(PushToHubMixin):
    """The arguments of `generate` that can be kept in a file.

    Args:
        kwargs: the attributes below; any other is kept as it is.

    Raises:
        ValueError: see `validate`.

    Attributes:
        max_length: greatest number of tokens, the prompt's included (20).
        max_new_tokens: greatest number of tokens after the prompt; wins over `max_length`.
        min_length: least number of tokens, the prompt's included (0).
        min_new_tokens: least number of tokens after the prompt; wins over `min_length`.
        early_stopping: when beam search stops: True with `num_beams` complete candidates, False when better
            ones are unlikely, "never" when there can be none.
        max_time: seconds after which no further token is begun.
        do_sample: draw tokens at random, by their probabilities, rather than taking the most probable.
        num_beams, num_beam_groups, diversity_penalty, length_penalty: of beam search.
        penalty_alpha: of contrastive search.
        use_cache: keep keys and values of the tokens seen.
        temperature: divides the scores: below 1.0 the probable becomes more probable.
        top_k: draw among so many most probable tokens (50; 0 or None for all).
        top_p: draw among the fewest tokens whose probabilities add up to this.
        typical_p, epsilon_cutoff, eta_cutoff: other choices of the tokens to draw among.
        repetition_penalty: above 1.0, tokens that were there already become less probable.
        encoder_repetition_penalty: above 1.0, tokens that the encoder did not read become less probable.
        no_repeat_ngram_size: no run of so many tokens comes twice (0 for no such rule).
        encoder_no_repeat_ngram_size: no run of so many tokens of the encoder's input is repeated.
        bad_words_ids, force_words_ids, constraints, sequence_bias, suppress_tokens, begin_suppress_tokens,
            forced_decoder_ids, forced_bos_token_id, forced_eos_token_id, exponential_decay_length_penalty,
            guidance_scale: tokens that must, must not or should come.
        renormalize_logits: make log-probabilities of the scores at the end.
        remove_invalid_values: replace NaN and infinite scores.
        num_return_sequences: sequences for each prompt.
        output_attentions, output_hidden_states, output_scores, return_dict_in_generate: what is returned.
        pad_token_id, bos_token_id, eos_token_id (one or several), decoder_start_token_id: special tokens.
        num_assistant_tokens, num_assistant_tokens_schedule, prompt_lookup_num_tokens: of assisted generation.
        generation_kwargs: passed to `generate` beside these.
    """

    def __init__(self, **kwargs: Any) -> None:
        self._from_model_config = bool(kwargs.pop("_from_model_config", False))
        self._as_loaded: str | None = None
        self._as_taken: str | None = None
        self.transformers_version: str = kwargs.pop("transformers_version", None) or FORMAT_VERSION
        kwargs.pop("_commit_hash", None)
        for name, default in _DEFAULTS.items():
            setattr(self, name, kwargs.pop(name, copy.copy(default)))
        for name, value in kwargs.items():
            setattr(self, name, value)
        self.validate()

    if TYPE_CHECKING:  # the attributes come from a table

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, value: Any) -> None: ...

    def validate(self, strict: bool = False) -> None:
        """Check that the values make sense by themselves and together.

        Values that contradict each other without doing harm, such as a temperature where nothing is drawn,
        cause a `UserWarning`.

        Args:
            strict: raise an error for these too.

        Raises:
            ValueError: a value is not allowed; the message says which are.
        """
        for name in _AT_LEAST_ONE:
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int) and value > 0):
                raise ValueError(f"`{name}` must be greater than 0, but is {value}.")
        if not (isinstance(self.early_stopping, bool) or self.early_stopping in (None, "never")):
            raise ValueError(f"`early_stopping` must be a boolean or 'never', but is {self.early_stopping}.")
        one_beam = self.num_beams in (None, 1)
        if (self.num_return_sequences or 1) > 1:
            if one_beam and not self.do_sample:
                raise ValueError(
                    "Greedy methods without beam search do not support `num_return_sequences` different than "
                    f"1 (got {self.num_return_sequences}). Set `do_sample=True` to draw several."
                )
            if not one_beam and self.num_return_sequences > self.num_beams:
                raise ValueError(
                    f"`num_return_sequences` ({self.num_return_sequences}) has to be smaller or equal to "
                    f"`num_beams` ({self.num_beams})."
                )
        for name in _OF_GENERATE:
            if name in self.__dict__:
                raise ValueError(
                    f"Argument `{name}` is not a valid argument of `GenerationConfig`. It should be passed "
                    "to `generate()` (or a pipeline) directly."
                )
        issues = self._contradictions(one_beam)
        if issues and strict:
            raise ValueError("\n".join(issues))
        for issue in issues:
            warnings.warn(issue, UserWarning, stacklevel=3)

    def _contradictions(self, one_beam: bool) -> list[str]:
        """Return what will have no effect, one sentence each."""
        issues = []
        if not self.do_sample:
            issues += [
                f"`do_sample` is set to `False`. However, `{name}` is set to `{getattr(self, name)}` -- this "
                "flag is only used in sample-based generation modes. You should set `do_sample=True` or "
                f"unset `{name}`."
                for name in _SAMPLING_ONLY
                # contrastive search has another use for top_k
                if self.is_set(name) and not (name == "top_k" and self.penalty_alpha)
            ]
        if one_beam:
            issues += [
                f"`num_beams` is set to 1. However, `{name}` is set to `{getattr(self, name)}` -- this flag "
                "is only used in beam-based generation modes. You should set `num_beams>1` or unset "
                f"`{name}`."
                for name in _BEAMS_ONLY
                if self.is_set(name)
            ]
        return issues

    def is_set(self, name: str) -> bool:
        """Tell whether an attribute has a value of its own, and not the default."""
        return getattr(self, name) not in (None, _DEFAULTS[name])

    def get_generation_mode(self, assistant_model: Any = None) -> GenerationMode:
        """Return the strategy that these values ask for.

        Args:
            assistant_model: what was given to `generate` under that name.
        """
        if self.constraints is not None or self.force_words_ids is not None:
            return GenerationMode.CONSTRAINED_BEAM_SEARCH
        if self.num_beams not in (None, 1):
            if self.num_beam_groups not in (None, 1):
                return GenerationMode.GROUP_BEAM_SEARCH
            return GenerationMode.BEAM_SAMPLE if self.do_sample else GenerationMode.BEAM_SEARCH
        if self.penalty_alpha and not self.do_sample and (self.top_k or 0) > 1:
            return GenerationMode.CONTRASTIVE_SEARCH
        if assistant_model is not None or self.prompt_lookup_num_tokens is not None:
            return GenerationMode.ASSISTED_GENERATION
        return GenerationMode.SAMPLE if self.do_sample else GenerationMode.GREEDY_SEARCH

    # Reading

    @classmethod
    def from_pretrained(
        cls: type[Config],
        pretrained_model_name: str | os.PathLike[str],
        config_file_name: str | os.PathLike[str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Read how a checkpoint generates.

        Args:
            pretrained_model_name: a folder, or the name of a repository on the hub.
            config_file_name: the file in it; by default `generation_config.json`.
            kwargs: `cache_dir`, `force_download`, `local_files_only`, `token`, `revision`, `subfolder`: where
                to look, see `nanoformers.hub.HubOptions`; `return_unused_kwargs`; attributes that take the
                place of the file's.

        Returns:
            The configuration; with `return_unused_kwargs=True`, also the keywords that are no attribute.

        Raises:
            OSError: there is no such file, or it is not JSON.
            ValueError: see `validate`.
        """
        options = HubOptions.take_from(kwargs)
        file = os.fspath(config_file_name or GENERATION_CONFIG_NAME)
        path = cached_file(pretrained_model_name, file, options)
        assert path is not None
        return cls.from_dict(read_json_object(path, "generation configuration"), **kwargs)

    @classmethod
    def of_checkpoint(cls: type[Config], name: str | os.PathLike[str], options: HubOptions) -> Config | None:
        """Read `generation_config.json` of a checkpoint, which need not have one (then None)."""
        path = cached_file(name, GENERATION_CONFIG_NAME, options, required=False)
        return None if path is None else cls.from_dict(read_json_object(path, "generation configuration"))

    @classmethod
    def from_dict(cls: type[Config], config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Make a configuration from a dictionary such as `to_dict` gives.

        Args:
            config_dict: attributes.
            kwargs: attributes that take their place; `return_unused_kwargs` as in `from_pretrained`.
        """
        return_unused = kwargs.pop("return_unused_kwargs", False)
        known = {name: kwargs.pop(name) for name in list(kwargs) if name in _DEFAULTS or name in config_dict}
        config = cls(**{**config_dict, **known})
        config._as_loaded = config.to_json_string()
        return (config, kwargs) if return_unused else config

    @classmethod
    def from_model_config(cls: type[Config], model_config: PretrainedConfig | dict[str, Any]) -> Config:
        """Take the attributes out of a model's configuration, where older checkpoints have them.

        Args:
            model_config: what it leaves at None keeps its default. Of a configuration made of others, the
                decoder's fills what the outer one leaves at its default.
        """
        values = _generation_values(model_config)
        for name in _INNER_CONFIGS:
            inner = (
                model_config.get(name)
                if isinstance(model_config, dict)
                else getattr(model_config, name, None)
            )
            if isinstance(inner, (dict, PretrainedConfig)):
                outer = {key: value for key, value in values.items() if value != _DEFAULTS[key]}
                values = _generation_values(inner) | outer
                break
        config = cls(**values, _from_model_config=True)
        config._as_loaded = config._as_taken = config.to_json_string()
        return config

    # Writing

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        config_file_name: str | os.PathLike[str] | None = None,
        push_to_hub: bool = False,
        **kwargs: Any,
    ) -> None:
        """Write the file that `from_pretrained` reads.

        Args:
            save_directory: the folder; created if needed.
            config_file_name: by default `generation_config.json`; other names let a checkpoint have several.
            push_to_hub: also upload it, to `repo_id` (by default the folder's name).
            kwargs: arguments of `push_to_hub()`.

        Raises:
            NotADirectoryError: there is a file at that path.
            ValueError: values contradict each other, and were not so when they were loaded.
        """
        changed = self.to_json_string() != self._as_loaded
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of those it was loaded with, people know already
                self.validate(strict=changed)
        except ValueError as error:
            raise ValueError(
                "The generation config instance is invalid -- `.validate()` throws warnings and/or "
                "exceptions. Fix these issues to save the configuration.\n\nThrown during validation:\n"
                f"{error}"
            ) from error
        folder = folder_to_save_in(save_directory)
        if push_to_hub:
            repo_id = kwargs.pop("repo_id", folder.name)
            self.push_to_hub(repo_id, config_file_name=config_file_name, **kwargs)
        self.to_json_file(folder / (config_file_name or GENERATION_CONFIG_NAME))

    def to_dict(self) -> dict[str, Any]:
        """Return all attributes."""
        values = {name: copy.deepcopy(value) for name, value in self.__dict__.items() if name[0] != "_"}
        if self._from_model_config:
            values["_from_model_config"] = True
        return values | {"transformers_version": FORMAT_VERSION}

    def to_diff_dict(self) -> dict[str, Any]:
        """Return the attributes that differ from the defaults."""
        return {
            name: value
            for name, value in self.to_dict().items()
            if name not in _DEFAULTS or value != _DEFAULTS[name]
        }

    def to_json_string(self, use_diff: bool = True, ignore_metadata: bool = False) -> str:
        """Return the configuration as JSON.

        Args:
            use_diff: leave out what has its default value.
            ignore_metadata: leave out where the values came from.
        """
        values = self.to_diff_dict() if use_diff else self.to_dict()
        if ignore_metadata:
            for name in ("_from_model_config", "transformers_version"):
                values.pop(name, None)
        return json.dumps(_with_text_keys(values), indent=2, sort_keys=True) + "\n"

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write the configuration to a JSON file, whole or not at all."""
        write_text(json_file_path, self.to_json_string(use_diff=use_diff))

    # Changing

    def update(self, **kwargs: Any) -> dict[str, Any]:
        """Set attributes that exist, and return the keywords that name none."""
        unused = {}
        for name, value in kwargs.items():
            if name in self.__dict__:
                setattr(self, name, value)
            else:
                unused[name] = value
        return unused

    @property
    def is_of_model_config(self) -> bool:
        """Whether the values were taken from a model's configuration, and none was set since."""
        return self._as_taken is not None and self._as_taken == self.to_json_string()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GenerationConfig) and self._content() == other._content()

    def _content(self) -> str:
        return self.to_json_string(use_diff=False, ignore_metadata=True)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string(ignore_metadata=True)}"


def _generation_values(config: PretrainedConfig | dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a model's configuration that speak of generation and are not None."""
    found = {
        name: config.get(name) if isinstance(config, dict) else getattr(config, name, None)
        for name in _DEFAULTS
        if name not in ("use_cache", "output_attentions", "output_hidden_states")  # of single forward passes
    }
    return {name: copy.deepcopy(value) for name, value in found.items() if value is not None}


def _with_text_keys(value: Any) -> Any:
    """Make the keys of dictionaries strings, which JSON needs."""
    if isinstance(value, dict):
        return {str(key): _with_text_keys(inner) for key, inner in value.items()}
    return [_with_text_keys(inner) for inner in value] if isinstance(value, list) else value
