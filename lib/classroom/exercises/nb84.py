"""Exercises of notebook 84: philosophy."""

from __future__ import annotations

from typing import Any

from classroom.exercises import Wrong, exercise

CHECKPOINT = "toyland/fill-mask-bert"

WHO_KNOWS = {
    "how many layers there are": "configuration",
    "the vector of the word kite": "model",
    "the id of the word kite": "tokenizer",
    "which id is padding, for those who fill up a batch": "tokenizer",
    "what the labels of a classifier are called": "configuration",
}
_REASONS = {
    "how many layers there are": "it is a number in config.json; the model is built from it",
    "the vector of the word kite": "vectors are weights",
    "the id of the word kite": "ids are places in a vocabulary, and that is a file of its own",
    "which id is padding, for those who fill up a batch": "who fills up a batch?",
    "what the labels of a classifier are called": "names are no weights; look for id2label",
}


@exercise(
    "84.1",
    "Which of the three classes knows it?",
    hints=[
        "A configuration is config.json, a model is its weights, a tokenizer is a vocabulary with rules.",
        "Where does each of these stand when a checkpoint is saved into a folder? Open the files.",
        "Two for the configuration, one for the model, two for the tokenizer.",
    ],
)
def who_knows(answer: dict[str, str]) -> str:
    """The dictionary, completed."""
    if not isinstance(answer, dict):
        raise Wrong("Complete the dictionary: its values are configuration, model or tokenizer.")
    if set(answer) != set(WHO_KNOWS):
        raise Wrong(f"These are the questions: {'; '.join(WHO_KNOWS)}.")
    for question, expected in WHO_KNOWS.items():
        given = answer[question]
        if given is None:
            raise Wrong(f"Not yet answered: {question}.")
        if given not in ("configuration", "model", "tokenizer"):
            raise Wrong(f"{given!r} is none of configuration, model and tokenizer.")
        if given != expected:
            raise Wrong(f"Who knows {question}? Not the {given}: {_REASONS[question]}.")
    return "Shape, numbers, words: that is why a checkpoint has those three kinds of files."


@exercise(
    "84.2",
    "Which head costs least when it is silent?",
    hints=[
        "`harm` has a row for each layer and a column for each head.",
        "Look for its smallest value: harm.argmin() counts through the rows.",
        "answer = divmod(int(harm.argmin()), config.num_attention_heads)",
    ],
)
def least_important_head(answer: tuple[int, int]) -> str:
    """(layer, head), compared with the loss on the same stories."""
    try:
        layer, head = (int(number) for number in answer)
    except (TypeError, ValueError) as error:
        raise Wrong("Give two numbers: (layer, head).") from error
    harm = _harm()
    layers, heads = len(harm), len(harm[0])
    if not (0 <= layer < layers and 0 <= head < heads):
        raise Wrong(f"There are layers 0 to {layers - 1} and heads 0 to {heads - 1}.")
    values = [value for row in harm for value in row]
    if harm[layer][head] <= min(values) + 1e-3:
        return "What it does, the others can do as well: it could be pruned."
    if harm[layer][head] == max(values):
        raise Wrong("That is the head that costs most: the model needs it.")
    raise Wrong(f"Without that head the loss grows by {harm[layer][head]:.3f}; there is a cheaper one.")


def _harm() -> list[list[float]]:
    """Loss that each head's silence adds, by layer, as the notebook measures it."""
    import torch
    from nanoformers import AutoModelForMaskedLM, AutoTokenizer

    from classroom.toyland import World

    model: Any = AutoModelForMaskedLM.from_pretrained(CHECKPOINT)
    tokenizer: Any = AutoTokenizer.from_pretrained(CHECKPOINT)
    stories = [scene.story() for scene in World(1).scenes(60)]
    batch = tokenizer(stories, padding=True, truncation=True, return_tensors="pt")
    hidden = batch["input_ids"].clone()
    luck = torch.rand(hidden.shape, generator=torch.Generator().manual_seed(0))
    places = (luck < 0.15) & (hidden > 4)
    labels = hidden.masked_fill(~places, -100)
    hidden[places] = tokenizer.mask_token_id
    layers, heads = model.config.num_hidden_layers, model.config.num_attention_heads

    def loss(mask: torch.Tensor) -> float:
        with torch.no_grad():
            return model(hidden, batch["attention_mask"], head_mask=mask, labels=labels).loss.item()

    everything = torch.ones(layers, heads)
    whole = loss(everything)
    harm = []
    for layer in range(layers):
        row = []
        for head in range(heads):
            mask = everything.clone()
            mask[layer, head] = 0
            row.append(loss(mask) - whole)
        harm.append(row)
    return harm
