"""The same random numbers in every run.

Mirrors `set_seed` and `enable_full_determinism` of the documentation page `internal/trainer_utils`.
"""

from __future__ import annotations

import os
import random

__all__ = ["enable_full_determinism", "set_seed"]

_GREATEST_SEED = 2**32 - 1  # of numpy


def set_seed(seed: int, deterministic: bool = False) -> None:
    """Seed the random numbers of Python, numpy and torch, on the CPU and on every GPU.

    Args:
        seed: from 0 to 2**32 - 1.
        deterministic: let torch use only algorithms that give the same result in each run; some are slower,
            and an operation that has none raises a RuntimeError.

    Raises:
        ValueError: the seed is no whole number in that range; nothing is seeded then.
    """
    import numpy as np
    import torch

    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed <= _GREATEST_SEED:
        raise ValueError(f"seed={seed!r}: a seed is a whole number from 0 to {_GREATEST_SEED} (2**32 - 1).")
    seed = int(seed)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)  # of every device
    if deterministic:
        torch.use_deterministic_algorithms(True)


def enable_full_determinism(seed: int, warn_only: bool = False) -> None:
    """Seed all random numbers, and let every computation give the same result in each run.

    Call it before the first computation on a GPU: CUDA reads its settings once. See
    https://docs.pytorch.org/docs/stable/notes/randomness.html.

    Args:
        seed: from 0 to 2**32 - 1.
        warn_only: warn of an operation that has no deterministic algorithm, where otherwise a RuntimeError
            is raised.

    Raises:
        ValueError: as for `set_seed`.
    """
    import torch

    set_seed(seed)
    os.environ["CUDA_LAUNCH_BLOCKING"] = "1"
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":16:8"
    os.environ["FLASH_ATTENTION_DETERMINISTIC"] = "1"
    torch.use_deterministic_algorithms(True, warn_only=warn_only)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
