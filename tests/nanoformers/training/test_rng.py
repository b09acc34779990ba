"""Random number generators: their states go to a file and come back, ours and the reference library's."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from nanoformers.training.rng import read_rng_states, rng_states, set_rng_states


def draw() -> tuple[float, float, list[float], list[float]]:
    """Draw from all three; of the normal distribution too, of which numpy keeps a second value."""
    return (
        random.random(),
        random.gauss(0, 1),
        list(np.random.standard_normal(3)),
        torch.randn(3).tolist(),
    )


@pytest.fixture(autouse=True)
def _generators_as_before():
    before = rng_states()
    yield
    set_rng_states(before)


class TestStates:
    def test_the_same_numbers_are_drawn_again(self):
        draw()
        states = rng_states()
        first = draw()
        draw()
        set_rng_states(states)
        assert draw() == first

    def test_a_file_opens_without_running_code(self, tmp_path: Path):
        draw()
        torch.save(rng_states(), tmp_path / "rng_state.pth")
        first = draw()
        set_rng_states(torch.load(tmp_path / "rng_state.pth", weights_only=True))
        assert draw() == first

    @pytest.mark.parametrize("states", [{}, {"python": 3, "numpy": (), "cpu": None}])
    def test_what_is_no_states(self, states: dict):
        with pytest.raises(ValueError, match="no states of random number generators"):
            set_rng_states(states)


class TestFiles:
    def reference_states(self) -> dict:
        """Return what the reference library stores: numpy's state has an array in it."""
        return {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.get_rng_state()}

    def test_one_of_the_reference_library(self, tmp_path: Path):
        draw()
        torch.save(self.reference_states(), tmp_path / "rng_state.pth")
        first = draw()
        set_rng_states(read_rng_states(tmp_path / "rng_state.pth"))
        assert draw() == first

    def test_one_that_numpy_1_wrote(self, tmp_path: Path):
        """Its array is rebuilt by a function that numpy 2 calls otherwise."""
        draw()
        torch.save(self.reference_states(), tmp_path / "new.pth", _use_new_zipfile_serialization=False)
        first = draw()
        content = (tmp_path / "new.pth").read_bytes()
        assert content.count(b"numpy._core.multiarray") == 1
        old = content.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
        (tmp_path / "old.pth").write_bytes(old)
        set_rng_states(read_rng_states(tmp_path / "old.pth"))
        assert draw() == first

    def test_code_in_a_file_does_not_run(self, tmp_path: Path):
        class Bomb:
            def __reduce__(self):
                return (Path(tmp_path / "ran").write_text, ("x",))

        torch.save({"python": Bomb(), "numpy": Bomb(), "cpu": Bomb()}, tmp_path / "rng_state.pth")
        with pytest.raises(OSError, match="does not hold the states"):
            read_rng_states(tmp_path / "rng_state.pth")
        assert not (tmp_path / "ran").exists()

    def test_a_file_that_is_damaged(self, tmp_path: Path):
        torch.save(rng_states(), tmp_path / "rng_state.pth")
        content = (tmp_path / "rng_state.pth").read_bytes()
        (tmp_path / "rng_state.pth").write_bytes(content[: len(content) // 2])
        with pytest.raises(OSError, match="or is damaged"):
            read_rng_states(tmp_path / "rng_state.pth")

    def test_a_file_of_something_else(self, tmp_path: Path):
        torch.save({"weight": torch.zeros(2)}, tmp_path / "rng_state.pth")
        with pytest.raises(OSError, match="does not hold the states"):
            read_rng_states(tmp_path / "rng_state.pth")

    def test_the_reference_library_reads_ours(self, tmp_path: Path):
        """It opens the file as weights, and hands its parts to the generators as they are."""
        draw()
        torch.save(rng_states(), tmp_path / "rng_state.pth")
        first = draw()
        states = torch.load(tmp_path / "rng_state.pth", weights_only=True)
        random.setstate(states["python"])
        np.random.set_state(states["numpy"])
        torch.random.set_rng_state(states["cpu"])
        assert draw() == first
