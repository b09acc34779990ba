"""Exercises of notebook 52: create a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from classroom.exercises import Wrong, exercise

if TYPE_CHECKING:
    import torch

VOCABULARY, PLACES, LAYERS, CHANNELS, MOST = 400, 64, 6, 16, 250_000


@exercise(
    "52.1",
    "A deep and narrow DistilBertConfig.",
    hints=[
        "A layer has 12 dim² + 13 dim parameters when hidden_dim is 4 dim; six layers have 72 dim² and more.",
        "The embeddings take 464 dim, and 72 dim² is most of the rest: which dim keeps that below 250,000?",
        "dim=48 with n_heads=3 is close; do not leave hidden_dim at its default of 3072.",
    ],
)
def deep_and_narrow(answer: Any) -> str:
    """A configuration, built on the meta device and counted."""
    import torch
    from nanoformers import DistilBertConfig, DistilBertForSequenceClassification

    if not isinstance(answer, DistilBertConfig):
        raise Wrong(f"Give a DistilBertConfig; this is {type(answer).__name__}.")
    if answer.vocab_size != VOCABULARY:
        raise Wrong(f"The vocabulary has {answer.vocab_size:,} tokens, not {VOCABULARY}.")
    if answer.max_position_embeddings != PLACES:
        raise Wrong(f"It has {answer.max_position_embeddings} places, not {PLACES}.")
    if answer.n_layers < LAYERS:
        raise Wrong(f"{answer.n_layers} layers are too few: at least {LAYERS}.")
    if answer.dim // answer.n_heads < CHANNELS:
        raise Wrong(f"Its heads have {answer.dim // answer.n_heads} channels (dim / n_heads): too narrow.")
    try:
        with torch.device("meta"):
            size = DistilBertForSequenceClassification(answer).num_parameters()
    except (ValueError, KeyError) as error:
        raise Wrong(f"Such a model cannot be built: {error}") from error
    if size > MOST:
        raise Wrong(f"It has {size:,} parameters, {size - MOST:,} too many.")
    return f"{size:,} parameters in {answer.n_layers} layers of {answer.dim}."


@exercise(
    "52.2",
    "Places for texts that are padded on the left.",
    hints=[
        "A mask such as [0, 0, 1, 1, 1] has its first token at place 0, wherever it stands in the row.",
        "Counting the ones from the left, `attention_mask.cumsum(-1)`, gives 1, 2, 3 at the tokens.",
        "Take one off, and lift what falls below zero: `.clamp(min=0)`, for padding must have a place too.",
    ],
)
def places(answer: Callable[[torch.Tensor], torch.Tensor]) -> str:
    """A function of a mask, tried in a random model: states must be those of the text alone."""
    import torch

    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    model = _small_model()
    ids = torch.tensor([[5, 6, 7], [8, 9, 3]])
    for before in (0, 2, 5):
        padded = torch.nn.functional.pad(ids, (before, 0))
        mask = torch.nn.functional.pad(torch.ones_like(ids), (before, 0))
        found = answer(mask)
        if not isinstance(found, torch.Tensor) or found.shape != mask.shape:
            raise Wrong(f"Give a tensor of the mask's shape, {tuple(mask.shape)}.")
        if found.is_floating_point() or found.min() < 0 or found.max() >= PLACES:
            raise Wrong(
                "A place is a whole number from 0 on; padding needs one as well, though nobody looks."
            )
        with torch.no_grad():
            alone = model(input_ids=ids).last_hidden_state
            beside = model(padded, attention_mask=mask, position_ids=found).last_hidden_state[:, before:]
        if not torch.allclose(alone, beside, atol=1e-4):
            seen = found[0, before:].tolist()
            raise Wrong(f"After {before} places of padding the three tokens get {seen}; alone, [0, 1, 2].")
    return "The same states, however much padding stands before the text."


@exercise(
    "52.3",
    "Which share of the tokens is unknown?",
    hints=[
        "`tokenizer.tokenize(text)` gives the tokens of a text without [CLS] and [SEP].",
        "An unknown one is `tokenizer.unk_token`; count it over all texts, and divide once.",
        "tokens = [token for text in texts for token in tokenizer.tokenize(text)], then count and divide.",
    ],
)
def unknown(answer: Callable[[Any, list[str]], float]) -> str:
    """A function, tried with two vocabularies whose unknown tokens have different names."""
    if not callable(answer):
        raise Wrong("Give the function itself, without calling it.")
    texts = ["the kite", "the purple dragon was red", "dragon"]
    for name in ("[UNK]", "<what>"):
        tokenizer = _small_tokenizer(name)
        cut = [tokenizer.tokenize(text) for text in texts]
        share = _share(name, [token for tokens in cut for token in tokens])
        rows = map(tokenizer.convert_ids_to_tokens, tokenizer(texts)["input_ids"])
        with_special = _share(name, [token for tokens in rows for token in tokens])
        found = float(answer(tokenizer, texts))
        if abs(found - share) < 1e-6:
            continue
        if abs(found - with_special) < 1e-6:
            raise Wrong("[CLS] and [SEP] are counted too; they are in every vocabulary.")
        if abs(found - (1 - share)) < 1e-6:
            raise Wrong("That is the share that the vocabulary has.")
        if abs(found - sum(_share(name, tokens) for tokens in cut) / len(cut)) < 1e-6:
            raise Wrong("That is the mean over texts: a short text counts as much as a long one.")
        if name != "[UNK]" and found == 0:
            raise Wrong(f"A tokenizer may call it something else, here {name}: see `unk_token`.")
        raise Wrong(f"For {texts} it is {share:.3f}, and this gives {found:.3f}.")
    return "Near zero for texts like those that the vocabulary was learned from; look at it for all others."


def _share(unknown_token: str, tokens: Iterable[str]) -> float:
    tokens = list(tokens)
    return tokens.count(unknown_token) / len(tokens)


def _small_model() -> Any:
    import torch
    from nanoformers import DistilBertConfig, DistilBertModel

    config = DistilBertConfig(
        vocab_size=10,
        dim=16,
        n_heads=2,
        n_layers=2,
        hidden_dim=32,
        max_position_embeddings=PLACES,
        initializer_range=0.5,  # large enough that places matter
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return DistilBertModel(config).eval()


def _small_tokenizer(unknown_token: str) -> Any:
    import tempfile
    from pathlib import Path

    from nanoformers import DistilBertTokenizer

    pieces = ["[PAD]", unknown_token, "[CLS]", "[SEP]", "[MASK]", "the", "a", "kite", "was", "red", "##s"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vocab.txt"
        file.write_text("\n".join(pieces) + "\n", encoding="utf-8")
        return DistilBertTokenizer(vocab_file=file, unk_token=unknown_token)
