"""In two processes, too, the Trainer takes the steps of the reference library's, over the same rows."""

import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).parent
BESIDE = str(HERE.parent / "nanoformers" / "training")
if BESIDE not in sys.path:
    sys.path.append(BESIDE)

from launching import run_part  # noqa: E402


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """{library: what each process found}; the second starts with the weights of the first."""
    folder = tmp_path_factory.mktemp("both")
    program = HERE / "training_processes.py"
    return {name: run_part(name, folder, program=program) for name in ("nanoformers", "transformers")}


@pytest.mark.parametrize("model", ["bert", "gpt2"])
class TestTraining:
    @pytest.mark.parametrize(("name", "tolerance"), [("losses", 1e-5), ("norms", 1e-4), ("rates", 1e-9)])
    def test_curves(self, both, model, name, tolerance):
        ours, theirs = both["nanoformers"][0][model][name], both["transformers"][0][model][name]
        np.testing.assert_allclose(ours, theirs, atol=tolerance)

    def test_each_process_sees_the_same_rows(self, both, model):
        for ours, theirs in zip(both["nanoformers"], both["transformers"], strict=True):
            assert ours[model]["seen"] == theirs[model]["seen"]

    def test_epochs(self, both, model):
        ours, theirs = both["nanoformers"][0][model]["epochs"], both["transformers"][0][model]["epochs"]
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


class TestEvaluation:
    def test_predictions(self, both):
        ours, theirs = both["nanoformers"][1]["bert"], both["transformers"][1]["bert"]
        assert ours["labels"] == theirs["labels"]
        np.testing.assert_allclose(ours["predictions"], theirs["predictions"], atol=1e-5)
        assert ours["accuracy"] == theirs["accuracy"]
