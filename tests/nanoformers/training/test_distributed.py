"""Several processes train as one does: DDP, data shared among them, who logs and saves, launchers."""

import logging
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

HERE = str(Path(__file__).parent)
if HERE not in sys.path:
    sys.path.append(HERE)  # the worker is a program, too

import processes  # noqa: E402
from launching import run_part, run_part_by_cluster, run_part_in_a_notebook  # noqa: E402
from nanoformers.training import (  # noqa: E402
    DistributedTensorGatherer,
    SequentialDistributedSampler,
    distributed_concat,
    torch_distributed_zero_first,
)

CLOSE = 1e-6


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    """What one process gets, with twice the batch."""
    return processes.data_parallel(tmp_path_factory.mktemp("one"), 1)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What two processes get with DDP."""
    return run_part("data_parallel", tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def around(tmp_path_factory):
    return run_part_by_cluster("around", tmp_path_factory.mktemp("around"))


@pytest.mark.parametrize("name", ["plain", "again", "accumulated", "written", "whole", "grouped"])
class TestTwoProcessesTrainAsOne:
    def test_losses(self, one, two, name):
        np.testing.assert_allclose(two[0][name]["losses"], one[name]["losses"], atol=CLOSE)
        assert abs(two[0][name]["train_loss"] - one[name]["train_loss"]) < CLOSE

    def test_norms_of_gradients(self, one, two, name):
        np.testing.assert_allclose(two[0][name]["norms"], one[name]["norms"], atol=CLOSE)

    def test_weights(self, one, two, name):
        expected, found = one[name]["weights"], two[0][name]["weights"]
        np.testing.assert_allclose(
            [found[key] for key in expected], list(expected.values()), rtol=CLOSE, atol=1e-5
        )

    def test_both_have_the_same_weights(self, two, name):
        assert two[0][name]["weights"] == two[1][name]["weights"]

    def test_together_they_see_what_one_sees(self, one, two, name):
        rows = [
            [row for batch in batches for row in batch]
            for batches in zip(two[0][name]["seen"], two[1][name]["seen"], strict=True)
        ]
        size = len(one[name]["seen"][0])
        assert [rows[i][:size] for i in range(len(rows))] == one[name]["seen"]


class TestResuming:
    def test_goes_on_bit_by_bit(self, two):
        for process in two:
            assert process["resumed"]["losses"] == process["whole"]["losses"]
            assert process["resumed"]["weights"] == process["whole"]["weights"]


class TestEvaluation:
    """37 rows, batches of 5, two processes: the last batch is filled up with rows from the start."""

    def test_metrics_are_those_of_one_process(self, one, two):
        expected = one["evaluation"]["metrics"]
        for process in two:
            assert process["evaluation"]["metrics"] == pytest.approx(expected, abs=CLOSE)
        assert expected["eval_rows"] == processes.EVAL_ROWS
        assert two[0]["evaluation"]["metrics"]["eval_accuracy"] == expected["eval_accuracy"]

    def test_predictions_come_once_and_in_order(self, one, two):
        expected = one["evaluation"]
        for process in two:
            assert process["evaluation"]["labels"] == expected["labels"]
            np.testing.assert_allclose(
                process["evaluation"]["predictions"], expected["predictions"], atol=CLOSE
            )

    def test_a_data_set_without_length(self, two):
        assert [process["evaluation"]["streamed"] for process in two] == pytest.approx([0.0, 0.0], abs=CLOSE)


class TestProcesses:
    """Started as a cluster does, by variables of SLURM."""

    def test_each_knows_its_place(self, around):
        assert [process["place"] for process in around] == [[2, 0, 0, "cpu"], [2, 1, 1, "cpu"]]
        assert {process["mode"] for process in around} == {"distributed"}

    def test_one_of_them_writes(self, around):
        assert [process["main"] for process in around] == [[True] * 3, [False] * 3]

    def test_log_levels(self, around):
        assert [process["level"] for process in around] == [logging.INFO, logging.ERROR]
        assert [process["verbosity"] for process in around] == [logging.INFO, logging.ERROR]

    def test_the_accelerator_knows_them_too(self, around):
        assert {tuple(process["accelerator"]) for process in around} == {(2, "MULTI_CPU")}

    def test_the_main_process_goes_first(self, around):
        assert all(process["mark_was_there"] and process["zero_was_first"] for process in around)

    def test_options_of_ddp(self, around):
        for process in around:
            assert process["ddp"] == ["DistributedDataParallel", False, 7, False]
            assert process["find_unused"] == [True, False]


class TestGathering:
    def test_equal_shapes(self, around):
        for process in around:
            assert process["gathered"] == [[0, 10, 1, 11], [0, 1]]

    def test_other_shapes_are_padded_but_rows_are_not(self, around):
        for process in around:
            assert process["padded"] == [[[0, 0, -100], [1, 1, 1], [1, 1, 1]], [False, True]]

    def test_no_more_than_so_many_rows(self, around):
        for process in around:
            assert process["concatenated"] == [[0, 0, 1], [[1, -100], [1, -100], [1, 1]]]

    def test_an_object_of_the_main_process(self, around):
        assert [process["shared"] for process in around] == [{"from": 0}] * 2

    def test_gradients_are_exchanged_with_the_last_micro_batch_only(self, around):
        assert [process["gradients"] for process in around] == [[1.0, 3.0], [2.0, 3.0]]

    def test_gradients_are_exchanged_with_each_micro_batch_where_asked_for(self, around):
        assert [process["synchronised_gradients"] for process in around] == [[1.5, 3.0]] * 2

    def test_needs_a_group(self):
        with pytest.raises(RuntimeError, match="torchrun"):
            distributed_concat(torch.ones(2))


class TestRowsOfEachProcess:
    """18 rows, 4 a process."""

    def order(self, around, name):
        first, second = (process[f"rows_{name}"] for process in around)
        return [row for pair in zip(first, second, strict=True) for batch in pair for row in batch]

    def test_batches_in_turn(self, around):
        assert self.order(around, "plain")[:18] == around[0]["order"]

    def test_all_batches_are_full(self, around):
        assert {len(batch) for process in around for batch in process["rows_plain"]} == {4}

    def test_split_batches(self, around):
        assert {len(batch) for process in around for batch in process["rows_split"]} == {2}
        assert self.order(around, "split")[:18] == around[0]["order"]

    def test_dispatched_batches(self, around):
        order = around[0]["order"]
        assert sorted(self.order(around, "dispatched")) == sorted(order)


class TestNotebookLauncher:
    def test_trains_as_torchrun_does(self, two, tmp_path):
        found = run_part_in_a_notebook("in_a_notebook", tmp_path)
        assert [process["processes"] for process in found] == [2, 2]
        assert found[0]["losses"] == two[0]["plain"]["losses"]
        assert found[0]["weights"] == two[0]["plain"]["weights"]


class TestZeroFirst:
    @pytest.mark.parametrize("rank", [-1, 0, 1])
    def test_nobody_waits_without_a_group(self, rank):
        with torch_distributed_zero_first(rank):
            pass


@pytest.mark.filterwarnings("ignore::FutureWarning")
class TestDistributedTensorGatherer:
    def parts(self, samples, processes, batch):
        data = range(samples)
        return [list(SequentialDistributedSampler(data, processes, rank, batch)) for rank in range(processes)]

    def test_the_documented_parts(self):
        assert self.parts(16, 3, 2) == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11], [12, 13, 14, 15, 0, 1]]

    @pytest.mark.parametrize(
        ("samples", "processes", "batch"), [(16, 3, 2), (37, 2, 5), (4, 4, 1), (5, 3, 4)]
    )
    def test_rows_come_in_order(self, samples, processes, batch):
        gatherer = DistributedTensorGatherer(processes, samples, make_multiple_of=batch)
        parts = self.parts(samples, processes, batch)
        for start in range(0, len(parts[0]), batch):
            ids = np.array([row for part in parts for row in part[start : start + batch]])
            gatherer.add_arrays({"ids": ids, "twice": (ids * 2, [np.stack([ids, ids], 1)])})
        result = gatherer.finalize()
        assert result["ids"].tolist() == list(range(samples))
        assert result["twice"][0].tolist() == [2 * row for row in range(samples)]
        assert result["twice"][1][0].shape == (samples, 2)

    def test_wider_batches_widen_the_rest(self):
        gatherer = DistributedTensorGatherer(2, 4)
        gatherer.add_arrays(np.ones((2, 2)))
        gatherer.add_arrays(np.ones((2, 3)))
        assert gatherer.finalize().tolist() == [[1, 1, -100], [1, 1, 1], [1, 1, -100], [1, 1, 1]]

    def test_says_when_rows_are_missing(self, library_log):
        gatherer = DistributedTensorGatherer(2, 8, make_multiple_of=2)
        gatherer.add_arrays(np.arange(4))
        gatherer.finalize()
        assert "Not all data has been set" in library_log.text

    def test_refuses_what_does_not_fit(self):
        gatherer = DistributedTensorGatherer(2, 4)
        with pytest.raises(ValueError, match="3 rows does not fit"):
            gatherer.add_arrays(np.arange(3))

    def test_nothing_is_none(self):
        gatherer = DistributedTensorGatherer(2, 4)
        gatherer.add_arrays(None)
        assert gatherer.finalize() is None

    def test_is_deprecated(self):
        with pytest.warns(FutureWarning, match="deprecated"):
            DistributedTensorGatherer(1, 1)
