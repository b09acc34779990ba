"""The states of all random number generators of a process: taken, set, written to a file, read from one.

A file holds numbers, lists and tensors only, so that `torch.load(path, weights_only=True)` opens it.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from ..utils import logging

__all__ = ["read_rng_states", "rng_states", "set_rng_states"]

logger = logging.get_logger(__name__)

_ACCELERATORS = ("cuda", "mps", "xpu", "npu")


def rng_states() -> dict[str, Any]:
    """Return the states of the generators of Python, numpy and torch, on the CPU and on accelerators.

    Returns:
        {"python": a tuple of numbers; "numpy": ("MT19937", list of 624 numbers, three numbers); "cpu": uint8
        tensor; where there is an accelerator its name: one uint8 tensor, or a list of one for each device}.
    """
    name, key, position, has_gauss, gauss = np.random.get_state(legacy=True)  # type: ignore[misc]
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": (str(name), [int(number) for number in key], int(position), int(has_gauss), float(gauss)),
        "cpu": torch.get_rng_state(),
    }
    for kind in _present_accelerators():
        module = getattr(torch, kind)
        if kind == "mps":
            states[kind] = module.get_rng_state()
        else:
            states[kind] = module.get_rng_state_all()
    return states


def set_rng_states(states: dict[str, Any]) -> None:
    """Set the generators to states from `rng_states`, or from a file of the reference library.

    Generators of devices that one side does not have stay as they are; a warning says so.

    Raises:
        ValueError: these are no such states; generators set before the faulty one keep their new states.
    """
    try:
        version, numbers, gauss = states["python"]
        random.setstate((version, tuple(numbers), gauss))
        np.random.set_state(tuple(states["numpy"]))
        torch.set_rng_state(states["cpu"])
        for kind in _present_accelerators():
            _set_device_states(kind, states.get(kind))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"These are no states of random number generators: {error!r}.") from error


def _set_device_states(kind: str, stored: Any) -> None:
    """Set the generators of the accelerators of one kind."""
    module = getattr(torch, kind)
    if stored is None:
        logger.warning(
            f"The checkpoint has no random state of {kind}: it was written without one. What is random on "
            "that device will not be as it would have been."
        )
    elif isinstance(stored, torch.Tensor):
        module.set_rng_state(stored.cpu())
    else:
        for index, state in enumerate(stored[: module.device_count()]):
            module.set_rng_state(state.cpu(), index)


def _present_accelerators() -> Iterator[str]:
    for kind in _ACCELERATORS:
        module = getattr(torch, kind, None)
        if module is not None and module.is_available():
            yield kind


def read_rng_states(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read states from a file that this library or the reference library wrote.

    The reference library stores an array of numpy; the four functions of numpy that rebuild one are allowed
    while the file is opened, and no other code.

    Raises:
        OSError: there is no such file, it is damaged, or it has more in it than states.
    """
    try:
        with _numpy_arrays_allowed():
            states = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise OSError(
            f"{path} does not hold the states of random number generators, or is damaged ({error}). Delete "
            "it to resume without them: the numbers drawn from then on will be others."
        ) from error
    if not isinstance(states, dict) or not {"python", "numpy", "cpu"} <= states.keys():
        raise OSError(f"{path} does not hold the states of random number generators.")
    return states


@contextlib.contextmanager
def _numpy_arrays_allowed() -> Iterator[None]:
    """Let `torch.load(weights_only=True)` rebuild arrays of 32-bit numbers, under old names and new."""
    import _codecs

    from numpy._core import multiarray

    rebuild: Any = multiarray._reconstruct  # type: ignore[attr-defined]
    allowed: list[Any] = [
        (rebuild, "numpy._core.multiarray._reconstruct"),
        (rebuild, "numpy.core.multiarray._reconstruct"),
        np.ndarray,
        np.dtype,
        type(np.dtype(np.uint32)),
        _codecs.encode,
    ]
    with torch.serialization.safe_globals(allowed):
        yield
