"""The last step of a recipe: a finished checkpoint takes the place of the old one, whole or not at all."""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path

from classroom import paths
from nanoformers import PreTrainedTokenizerBase
from nanoformers.modeling import PreTrainedModel
from safetensors.torch import load_file, save_file


def write_checkpoint(
    folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, card: str
) -> None:
    """Write weights (in float16), configuration, tokenizer and card beside `folder`, then rename.

    The weights are stored in half precision to halve the download; `config.json` says float32, so every
    library computes with float32. `half_precision` gives a model the values that the file will hold.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        model.save_pretrained(beside)
        tokenizer.save_pretrained(beside)
        weights = {name: tensor.half() for name, tensor in load_file(beside / "model.safetensors").items()}
        save_file(weights, beside / "model.safetensors", metadata={"format": "pt"})
        (beside / "README.md").write_text(card, encoding="utf-8", newline="\n")
        beside.chmod(0o755)
        for file in beside.iterdir():
            file.chmod(0o644)
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def model_folder(name: str, quick: bool) -> Path:
    """Where a recipe writes its checkpoint: the hub's folder, or `build/` for a quick trial."""
    root = paths.repository_root() or Path.cwd()
    return root / ("build/recipes" if quick else "data/hub/models") / name


def half_precision(model: PreTrainedModel) -> PreTrainedModel:
    """Round the model's weights to float16 values (kept in float32), as the file will hold them."""
    return model.half().float()


def margin_of_error(accuracy: float, number: int) -> float:
    """Half the width of the 95 % confidence interval of a share that was measured on `number` cases."""
    return 1.96 * math.sqrt(accuracy * (1 - accuracy) / number)
