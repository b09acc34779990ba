"""Perplexity: among how many equally likely tokens a language model would be as unsure as in these texts."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import datasets
import evaluate
import torch
from nanoformers import AutoModelForCausalLM, AutoTokenizer
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

INPUTS = """
Args:
    predictions (list of str): the texts.
    model_id (str): a causal language model with its tokenizer: a repository on the hub, or a folder that
        `save_pretrained` wrote.
    batch_size (int): texts that go through the model together; it changes the speed, not the result.
    add_start_token (bool): True puts the tokenizer's BOS token (CLS where there is no BOS) before each text,
        so that the first token counts as well; False leaves the first token out.
    device (str, optional): "cpu", "cuda" or any other device of torch, and "gpu" for "cuda"; by default
        "cuda" where there is one, else "cpu".
    max_length (int, optional): keep so many tokens of each text, the start token included; all by default.

Returns:
    dict: "perplexities" (list of float, one a text, 1 upwards) and "mean_perplexity" (their plain mean)

Raises:
    ValueError: there are no texts; a text has too few tokens, or more than the model has positions; there is
        no start token; the model is not causal; `batch_size`, `max_length` or `device` makes no sense
"""


class Perplexity(evaluate.Metric):
    """Perplexity of each text under a causal language model."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=__doc__,
            citation="Jelinek et al., Perplexity: a measure of the difficulty of speech recognition tasks",
            inputs_description=INPUTS,
            features=datasets.Features({"predictions": datasets.Value("string")}),
            reference_urls=["https://huggingface.co/docs/transformers/perplexity"],
        )

    def _compute(
        self,
        predictions: list[str],
        model_id: str,
        batch_size: int = 16,
        add_start_token: bool = True,
        device: str | None = None,
        max_length: int | None = None,
    ) -> dict[str, Any]:
        if not predictions:
            raise ValueError("There are no texts: pass at least one in `predictions`.")
        if batch_size < 1:
            raise ValueError(f"`batch_size` is {batch_size}: it must be 1 or more.")
        if max_length is not None and max_length < 2:
            raise ValueError(
                f"`max_length` is {max_length}: it must be 2 or more, for a token and one before it."
            )
        place = choose_device(device)
        tokenizer = AutoTokenizer.from_pretrained(model_id)
        start = [start_token_id(tokenizer, model_id)] if add_start_token else []
        sequences = encode(tokenizer, predictions, start, max_length)
        model = AutoModelForCausalLM.from_pretrained(model_id).to(place).eval()
        check_causal(model, model_id)
        check_positions(model, sequences, predictions)
        perplexities: list[float] = []
        for first in range(0, len(sequences), batch_size):
            losses = mean_losses(model, sequences[first : first + batch_size])
            perplexities += losses.exp().tolist()
        return {"perplexities": perplexities, "mean_perplexity": fmean(perplexities)}


def choose_device(name: str | None) -> torch.device:
    """Return the device of that name; without a name, a GPU where there is one."""
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        place = torch.device("cuda" if name == "gpu" else name)
    except RuntimeError as error:
        raise ValueError(f'`device` is {name!r}: it must be "cpu", "cuda", "gpu" or None.') from error
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f'`device` is {name!r}, and torch finds no GPU here: use "cpu", or leave it out.')
    return place


def start_token_id(tokenizer: Any, model_id: str) -> int:
    """Return the id of the token that a text begins with."""
    for token_id in (tokenizer.bos_token_id, tokenizer.cls_token_id):
        if token_id is not None:
            return token_id
    raise ValueError(
        f"The tokenizer of {model_id} has neither a BOS nor a CLS token to put before a text: pass "
        "`add_start_token=False`, which leaves the first token of each text out."
    )


def encode(tokenizer: Any, texts: list[str], start: list[int], max_length: int | None) -> list[torch.Tensor]:
    """Return the token ids of each text, of shape (s,), each at least two long."""
    room = None if max_length is None else max_length - len(start)
    encoded = tokenizer(texts, add_special_tokens=False, truncation=room is not None, max_length=room)
    for text, ids in zip(texts, encoded["input_ids"], strict=True):
        if not ids:
            raise ValueError(f"The text {text!r} has no token: leave empty texts out.")
        if not start and len(ids) == 1:
            raise ValueError(
                f"The text {text!r} is a single token, which nothing comes before: pass "
                "`add_start_token=True`, or leave such texts out."
            )
    return [torch.tensor(start + ids) for ids in encoded["input_ids"]]


def check_positions(model: Any, sequences: list[torch.Tensor], texts: list[str]) -> None:
    """Raise where a text is longer than the model can read."""
    limit = getattr(model.config, "max_position_embeddings", None)
    for text, ids in zip(texts, sequences, strict=True):
        if limit is not None and len(ids) > limit:
            raise ValueError(
                f"The text that begins with {text[:40]!r} has {len(ids)} tokens, and the model has {limit} "
                f"positions: pass `max_length={limit}` to cut long texts, or divide them yourself."
            )


@torch.inference_mode()
def check_causal(model: Any, model_id: str) -> None:
    """Raise where a prediction changes with the token that comes after it."""
    probes = torch.tensor([[0, 0], [0, 1]], device=model.device)  # (2, 2): two texts that begin alike
    logits = model(input_ids=probes, attention_mask=torch.ones_like(probes)).logits.float()
    one, other = logits[:, 0]
    if not torch.allclose(one, other, rtol=1e-5, atol=1e-5, equal_nan=True):
        raise ValueError(
            f"{model_id} is not a causal language model: it reads the tokens that it should predict. Use a "
            "decoder (such as GPT-2, or a BERT trained with `is_decoder=True` in its configuration)."
        )


@torch.inference_mode()
def mean_losses(model: Any, sequences: list[torch.Tensor]) -> torch.Tensor:
    """Return the mean negative log-likelihood of the tokens after the first, of shape (b,), float64."""
    # Padding on the right comes after all that counts, and is masked: the id in it does not matter, so the
    # tokenizer needs no padding token, and positions count from the start of each text.
    input_ids = pad_sequence(sequences, batch_first=True).to(model.device)  # (b, s)
    lengths = torch.tensor([len(ids) for ids in sequences], device=model.device)
    mask = torch.arange(input_ids.shape[1], device=model.device) < lengths[:, None]  # (b, s)
    logits = model(input_ids=input_ids, attention_mask=mask.long()).logits
    targets = input_ids[:, 1:].masked_fill(~mask[:, 1:], -100)
    losses = F.cross_entropy(logits[:, :-1].transpose(1, 2).float(), targets, reduction="none")  # (b, s - 1)
    return losses.double().sum(1) / (lengths - 1)
