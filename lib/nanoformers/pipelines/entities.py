"""From labelled tokens to entities: the aggregation strategies of token classification.

`n` is the number of tokens of a text without special ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from ..tokenization import PreTrainedTokenizerBase

Offsets = Sequence[tuple[int, int]]


class AggregationStrategy(str, Enum):
    """How the labels of tokens become those of entities.

    - "none": one answer for each token.
    - "simple": neighbours with the same tag are one entity (B-X I-X is one, B-X B-X are two).
    - "first", "average", "max": the same with words in place of tokens; a word has the label of its first
      token, the best of its tokens' averaged scores, or that of its most certain token.
    """

    NONE = "none"
    SIMPLE = "simple"
    FIRST = "first"
    AVERAGE = "average"
    MAX = "max"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if isinstance(value, str) and value != value.lower():
            return cls(value.lower())
        allowed = ", ".join(repr(strategy.value) for strategy in cls)
        raise ValueError(f"{value!r} is not a valid AggregationStrategy: choose one of {allowed}.")

    @property
    def needs_words(self) -> bool:
        """Whether the tokenizer has to know which tokens belong to one word."""
        return self in (AggregationStrategy.FIRST, AggregationStrategy.AVERAGE, AggregationStrategy.MAX)


class Unit(NamedTuple):
    """A token or word: where its tokens are, its label and the label's score."""

    places: list[int]
    label: str
    score: float


@dataclass
class Tokens:
    """What a text, or a piece of it, was split into, special tokens included.

    Attributes:
        text: all of the text.
        ids: ids of the s tokens.
        words: how they are spelled in the vocabulary.
        special: 1 for special tokens.
        offsets: (start, end) of each in the text; None when the tokenizer does not know.
    """

    text: str
    ids: list[int]
    words: list[str]
    special: list[int]
    offsets: Offsets | None

    def moved(self, starts: list[int], word_ids: list[int | None]) -> Tokens:
        """Count the offsets, which are those within words, from the start of the text."""
        assert self.offsets is not None
        offsets = [
            (start, end) if word is None else (starts[word] + start, starts[word] + end)
            for (start, end), word in zip(self.offsets, word_ids, strict=True)
        ]
        return replace(self, offsets=offsets)

    def located(self, offsets: Offsets) -> Tokens:
        """Take a caller's offsets."""
        if len(offsets) != len(self.ids):
            raise ValueError(
                f"`offset_mapping` has {len(offsets)} entries for {len(self.ids)} tokens: it needs one for "
                f"each, special tokens included: {self.words}."
            )
        return replace(self, offsets=offsets)

    def span(self, first: int, last: int) -> tuple[int | None, int | None]:
        """Return where one token starts and another one ends."""
        if self.offsets is None:
            return None, None
        return self.offsets[first][0], self.offsets[last][1]

    def spelled(self, place: int, unknown: int | None) -> str:
        """Return a token; the text itself for the unknown one."""
        if self.offsets is None or self.ids[place] != unknown:
            return self.words[place]
        start, end = self.offsets[place]
        return self.text[start:end]


def label(
    tokens: Tokens,
    logits: torch.Tensor,
    names: Mapping[int, str],
    strategy: AggregationStrategy,
    tokenizer: PreTrainedTokenizerBase,
) -> list[Unit]:
    """Give each token (or word, when the strategy is one over words) its label.

    Args:
        tokens: the tokens of a text, special ones included.
        logits: (s, labels), one row for each of them.
        names: names of the labels.
        strategy: how the tokens of a word agree.
        tokenizer: it knows which tokens continue a word.
    """
    places = [place for place, special in enumerate(tokens.special) if not special]
    if not places:
        return []
    scores = logits[places].float().softmax(-1)  # (n, labels)
    if not strategy.needs_words:
        return _best([[place] for place in places], scores, names)
    words = _words(tokens, places, tokenizer)
    return _best(words, _scores_of_words(scores, words, strategy), names)


def _best(places: list[list[int]], scores: torch.Tensor, names: Mapping[int, str]) -> list[Unit]:
    """Give each unit the label with the highest of its scores."""
    best = scores.max(-1)
    return [
        Unit(where, names[label], score)
        for where, label, score in zip(places, best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def _words(tokens: Tokens, places: list[int], tokenizer: Any) -> list[list[int]]:
    """Divide the places of tokens by words."""
    assert tokens.offsets is not None
    marks_parts = bool(getattr(tokenizer.backend_tokenizer.model, "continuing_subword_prefix", None))
    if not marks_parts:
        warnings.warn(
            "Tokenizer does not support real words, using fallback heuristic", UserWarning, stacklevel=2
        )
    words: list[list[int]] = []
    for place in places:
        start, end = tokens.offsets[place]
        if tokens.ids[place] == tokenizer.unk_token_id:
            continues = False
        elif marks_parts:  # the mark makes a part longer than the text that it stands for
            continues = len(tokens.words[place]) != end - start
        else:
            continues = start > 0 and " " not in tokens.text[start - 1 : start + 1]
        if continues and words:
            words[-1].append(place)
        else:
            words.append([place])
    return words


def _scores_of_words(
    scores: torch.Tensor, words: list[list[int]], strategy: AggregationStrategy
) -> torch.Tensor:
    """Make of the scores of tokens (n, labels) those of words (words, labels)."""
    sizes = torch.tensor([len(word) for word in words])
    first = sizes.cumsum(0) - sizes
    if strategy is AggregationStrategy.FIRST:
        return scores[first]
    if strategy is AggregationStrategy.AVERAGE:
        owners = torch.arange(len(words)).repeat_interleave(sizes)  # (n)
        sums = scores.new_zeros(len(words), scores.shape[1]).index_add_(0, owners, scores)
        return sums / sizes[:, None]
    certainty = scores.amax(-1).tolist()
    most_certain = [
        max(range(start, start + size), key=certainty.__getitem__)
        for start, size in zip(first.tolist(), sizes.tolist(), strict=True)
    ]
    return scores[most_certain]


def describe_token(tokens: Tokens, unit: Unit, tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """Return the answer about one token."""
    place = unit.places[0]
    start, end = tokens.span(place, place)
    word = tokens.spelled(place, tokenizer.unk_token_id)
    return {
        "entity": unit.label,
        "score": unit.score,
        "index": place,
        "word": word,
        "start": start,
        "end": end,
    }


def group(
    tokens: Tokens,
    units: Sequence[Unit],
    ignored: set[str],
    of_words: bool,
    tokenizer: PreTrainedTokenizerBase,
) -> list[dict[str, Any]]:
    """Join neighbours with the same tag, unless the second begins an entity, and return the answers."""
    groups: list[tuple[str, list[Unit]]] = []
    for unit in units:
        begins, tag = _tag(unit.label)
        if groups and tag == groups[-1][0] and not begins:
            groups[-1][1].append(unit)
        else:
            groups.append((tag, [unit]))
    join, unknown = tokenizer.convert_tokens_to_string, tokenizer.unk_token_id
    entities = []
    for _, members in groups:
        name = members[0].label.split("-", 1)[-1]
        if name in ignored:
            continue
        words = [[tokens.spelled(place, unknown) for place in unit.places] for unit in members]
        start, end = tokens.span(members[0].places[0], members[-1].places[-1])
        entities.append(
            {
                "entity_group": name,
                "score": sum(unit.score for unit in members) / len(members),
                "word": join([join(word) for word in words] if of_words else [word[0] for word in words]),
                "start": start,
                "end": end,
            }
        )
    return entities


def best_of_overlapping(entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the longer of entities that overlap, of equally long ones the more certain."""
    kept: list[dict[str, Any]] = []
    for entity in sorted(entities, key=lambda entity: entity["start"]):
        if kept and entity["start"] < kept[-1]["end"]:
            kept[-1] = max(kept[-1], entity, key=lambda one: (one["end"] - one["start"], one["score"]))
        else:
            kept.append(entity)
    return kept


def _tag(label: str) -> tuple[bool, str]:
    """Tell whether a label begins an entity (one without B- or I- does not), and the entity's name."""
    return label.startswith("B-"), label[2:] if label.startswith(("B-", "I-")) else label
