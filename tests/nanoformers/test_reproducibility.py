"""`set_seed` and `enable_full_determinism`."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch
from nanoformers import set_seed


def draw() -> list[float]:
    return [random.random(), float(np.random.rand()), torch.rand(1).item()]


def test_the_same_numbers_from_every_source():
    set_seed(42)
    first = draw()
    assert draw() != first
    set_seed(42)
    assert draw() == first
    set_seed(43)
    assert all(a != b for a, b in zip(draw(), first, strict=True))


def test_the_same_numbers_as_each_source_alone():
    set_seed(7)
    drawn = draw()
    random.seed(7)
    np.random.seed(7)
    torch.manual_seed(7)
    assert drawn == draw()


def test_a_seed_of_numpy():
    set_seed(np.int64(3))
    first = draw()
    set_seed(3)
    assert draw() == first


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, "1", None, True], ids=repr)
def test_no_seed(seed):
    set_seed(0)
    expected = draw()
    set_seed(0)
    with pytest.raises(ValueError, match=rf"seed={seed!r}: a seed is a whole number from 0 to 4294967295"):
        set_seed(seed)
    assert draw() == expected, "nothing may be seeded by a seed that is refused"


def test_the_documented_paths():
    import nanoformers
    from nanoformers.trainer_utils import enable_full_determinism
    from nanoformers.trainer_utils import set_seed as documented

    assert documented is set_seed
    assert enable_full_determinism is nanoformers.enable_full_determinism


def run(code: str) -> str:
    """Run code in a process of its own: determinism is switched on for a whole process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CU")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_deterministic_algorithms():
    code = (
        "from nanoformers import set_seed; from torch import are_deterministic_algorithms_enabled as asked;"
        "set_seed(1); before = asked(); set_seed(1, deterministic=True); print(before, asked())"
    )
    assert run(code) == "False True"


@pytest.mark.parametrize("warn_only", [False, True])
def test_full_determinism(warn_only):
    code = (
        "import os, torch, nanoformers;"
        f"nanoformers.enable_full_determinism(5, warn_only={warn_only}); a = torch.rand(1);"
        "torch.manual_seed(5); assert torch.equal(a, torch.rand(1));"
        "print(torch.is_deterministic_algorithms_warn_only_enabled(), torch.backends.cudnn.deterministic,"
        "torch.backends.cudnn.benchmark, os.environ['CUBLAS_WORKSPACE_CONFIG'],"
        "os.environ['CUDA_LAUNCH_BLOCKING'])"
    )
    assert run(code) == f"{warn_only} True False :16:8 1"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpus_are_seeded_too():
    set_seed(42)
    first = torch.rand(3, device="cuda")
    set_seed(42)
    assert torch.equal(torch.rand(3, device="cuda"), first)
