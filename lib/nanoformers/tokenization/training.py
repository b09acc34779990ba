"""Training a tokenizer that is like another one (`PreTrainedTokenizerFast.train_new_from_iterator`)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer, pre_tokenizers, trainers

__all__ = ["train_like"]

_TRAINERS = {
    "BPE": trainers.BpeTrainer,
    "Unigram": trainers.UnigramTrainer,
    "WordLevel": trainers.WordLevelTrainer,
    "WordPiece": trainers.WordPieceTrainer,
}


def train_like(
    tokenizer: Tokenizer,
    texts: Iterable[Sequence[str]],
    vocab_size: int,
    length: int | None,
    new_special_tokens: list[str | AddedToken],
    renamed: dict[str, str],
    trainer_arguments: dict[str, Any],
) -> Tokenizer:
    """Train on `texts` a tokenizer with the parts of `tokenizer`: normaliser, algorithm, post-processor.

    Special tokens get the first ids, in the order of their old ones; then come the new ones.

    Raises:
        ValueError: there is no trainer for the algorithm, or a token in the post-processor is not special.
    """
    description = json.loads(tokenizer.to_str())
    model = description["model"]
    algorithm = model["type"]
    if algorithm not in _TRAINERS:
        raise ValueError(
            f"There is no trainer for a tokenizer of type {algorithm}; there are for {', '.join(_TRAINERS)}."
        )
    post_processor = description.pop("post_processor")
    added = sorted(description.pop("added_tokens"), key=lambda token: token["id"])
    empty: dict[str, Any] = {"vocab": [] if algorithm == "Unigram" else {}}
    if algorithm == "BPE":
        empty["merges"] = []
    if algorithm == "Unigram":
        unknown = model["vocab"][model["unk_id"]] if model.get("unk_id") is not None else None
        if unknown is not None:
            empty |= {"vocab": [unknown], "unk_id": 0}
            trainer_arguments.setdefault("unk_token", renamed.get(unknown[0], unknown[0]))
    if model.get("unk_token") in renamed:
        empty["unk_token"] = renamed[model["unk_token"]]
    new = Tokenizer.from_str(
        json.dumps({**description, "model": model | empty, "post_processor": None, "added_tokens": []})
    )

    special_tokens = [_token(fields, renamed) for fields in added if fields["special"]] + new_special_tokens
    ordinary = [_token(fields, renamed) for fields in added if not fields["special"]]
    if algorithm in ("BPE", "WordPiece"):
        for name in ("continuing_subword_prefix", "end_of_word_suffix"):
            if model.get(name) is not None:
                trainer_arguments.setdefault(name, model[name])
    if algorithm == "BPE" and _is_byte_level(description.get("pre_tokenizer")):
        trainer_arguments.setdefault("initial_alphabet", pre_tokenizers.ByteLevel.alphabet())
    trainer = _TRAINERS[algorithm](vocab_size=vocab_size, special_tokens=special_tokens, **trainer_arguments)
    new.train_from_iterator(texts, length=length, trainer=trainer)
    if ordinary:
        new.add_tokens(ordinary)

    if post_processor is not None:
        trained = json.loads(new.to_str())
        trained["post_processor"] = _with_new_ids(post_processor, new, renamed)
        new = Tokenizer.from_str(json.dumps(trained))
    return new


def _token(fields: dict[str, Any], renamed: dict[str, str]) -> AddedToken:
    known = {key: value for key, value in fields.items() if key != "id"}
    return AddedToken(**known | {"content": renamed.get(fields["content"], fields["content"])})


def _is_byte_level(pre_tokenizer: Any) -> bool:
    if not isinstance(pre_tokenizer, dict):
        return False
    return pre_tokenizer.get("type") == "ByteLevel" or any(
        _is_byte_level(part) for part in pre_tokenizer.get("pretokenizers", ())
    )


def _with_new_ids(post_processor: dict[str, Any], new: Tokenizer, renamed: dict[str, str]) -> dict[str, Any]:
    """Return the post-processor with the names and ids that its special tokens have in `new`."""

    def named(token: str) -> tuple[str, int]:
        token = renamed.get(token, token)
        index = new.token_to_id(token)
        if index is None:
            raise ValueError(
                f"The post-processor puts in {token}, which the trained vocabulary does not have: add it to "
                "`new_special_tokens`."
            )
        return token, index

    changed = dict(post_processor)
    if "processors" in changed:  # a sequence of them
        changed["processors"] = [_with_new_ids(part, new, renamed) for part in changed["processors"]]
    for name in ("cls", "sep"):  # BertProcessing, RobertaProcessing
        if isinstance(changed.get(name), list):
            changed[name] = list(named(changed[name][0]))
    if isinstance(changed.get("special_tokens"), dict):  # TemplateProcessing
        special: dict[str, Any] = {}
        for key, value in changed["special_tokens"].items():
            pairs = [named(token) for token in value["tokens"]]
            new_key = renamed.get(key, key)
            special[new_key] = {
                "id": new_key,
                "ids": [index for _, index in pairs],
                "tokens": [token for token, _ in pairs],
            }
        changed["special_tokens"] = special
        for template in ("single", "pair"):
            changed[template] = [_piece(piece, renamed) for piece in changed[template]]
    return changed


def _piece(piece: dict[str, Any], renamed: dict[str, str]) -> dict[str, Any]:
    """Return one piece of a template, with a special token under its new name."""
    if "SpecialToken" not in piece:
        return piece
    token = piece["SpecialToken"]
    return {"SpecialToken": token | {"id": renamed.get(token["id"], token["id"])}}
