"""What a bug report needs to know of a machine."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

from .. import __version__

__all__ = ["describe"]

_PACKAGES = {
    "Huggingface_hub": "huggingface_hub",
    "Safetensors": "safetensors",
    "Tokenizers": "tokenizers",
    "Sentencepiece": "sentencepiece",
    "NumPy": "numpy",
    "Datasets": "datasets",
    "Accelerate": "accelerate",
}
_TO_FILL_IN = "<fill in>"


def describe(accelerate_config_file: Path | None = None) -> dict[str, str]:
    """Return {what: finding}, in the order in which a report lists them.

    Args:
        accelerate_config_file: settings written by `accelerate config`; by default those in its usual place.

    Raises:
        OSError: there is no such file.
    """
    found = {
        "`nanoformers` version": __version__,
        "Platform": platform.platform(),
        "Python version": platform.python_version(),
    }
    found |= {f"{name} version": _version(package) for name, package in _PACKAGES.items()}
    found["Accelerate config"] = _accelerate_config(accelerate_config_file)
    return found | _torch() | {"Using distributed or parallel set-up in script?": _TO_FILL_IN}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _torch() -> dict[str, str]:
    """Return torch's version, and which accelerator it finds."""
    import torch

    accelerator = "NA"
    if torch.cuda.is_available():
        accelerator = "ROCm" if torch.version.hip else f"CUDA {torch.version.cuda}"
    elif torch.backends.mps.is_available():
        accelerator = "MPS"
    elif torch.xpu.is_available():
        accelerator = "XPU"
    found = {"PyTorch version (accelerator?)": f"{torch.__version__} ({accelerator})"}
    if torch.cuda.is_available():
        found |= {"GPU type": torch.cuda.get_device_name(), "Using GPU in script?": _TO_FILL_IN}
    return found


def _accelerate_config(path: Path | None) -> str:
    """Return the settings of `accelerate`, a line each."""
    from accelerate.commands.config import default_config_file, load_config_from_file

    if path is None and not Path(default_config_file).is_file():
        return "not found"
    settings = load_config_from_file(None if path is None else str(path)).to_dict()
    return "".join(f"\n\t- {name}: {value}" for name, value in settings.items())
