"""Checkers of notebook 74: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import pytest
from classroom.exercises import Wrong, check, nb74


def shards(sizes, limit):
    cut, total = [[]], 0
    for name, size in sizes.items():
        if cut[-1] and total + size > limit:
            cut.append([])
            total = 0
        cut[-1].append(name)
        total += size
    return cut


def with_empty_ones(sizes, limit):
    cut, total = [[]], 0
    for name, size in sizes.items():
        if total + size > limit:
            cut.append([])
            total = 0
        cut[-1].append(name)
        total += size
    return cut


def too_late(sizes, limit):
    cut, total = [[]], 0
    for name, size in sizes.items():
        cut[-1].append(name)
        total += size
        if total > limit:
            cut.append([])
            total = 0
    return [shard for shard in cut if shard]


def layers(count, **others):
    rest = {f"encoder.layer.{i}": "cpu" if i < count else "disk" for i in range(6)}
    return {"embeddings": "cpu", "pooler": "cpu"} | rest | others


class TestShards:
    def test_a_shard_ends_where_the_next_tensor_would_not_fit(self):
        assert check("74.1", shards)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (with_empty_ones, "is empty"),
            (too_late, "has more than 100 bytes"),
            (lambda sizes, limit: [[name] for name in sizes], "2 shards do"),
            (lambda sizes, limit: [sorted(sizes, reverse=True)], "once, in order"),
            (lambda sizes, limit: 3, "list of lists"),
            ([["a"]], "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb74.shards(answer)


class TestTwoGPUs:
    @pytest.mark.parametrize("answer", [{0: 10, 1: 13}, {0: 9.52, 1: 13.01}])
    def test_gigabytes_as_float16(self, answer):
        assert check("74.2", answer)

    def test_they_are_those_of_the_model(self):
        import torch
        from nanoformers import T5Config, T5ForConditionalGeneration

        config = T5Config(
            d_model=4096, d_ff=10240, num_layers=24, num_heads=64, feed_forward_proj="gated-gelu"
        )
        config.tie_word_embeddings = False
        with torch.device("meta"):
            model = T5ForConditionalGeneration(config)
        sums = [0, 0]
        for name, weight in model.named_parameters():
            sums[name.startswith(("decoder", "lm_head"))] += 2 * weight.numel()
        assert {gpu: round(total / 1e9) for gpu, total in enumerate(sums)} == nb74.GIGABYTES

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            ({0: 19, 1: 25}, "float32"),
            ({0: 9, 1: 12}, "GiB"),
            ({0: 13, 1: 10}, "heavier"),
            ({0: 1, 1: 2}, "Not 1 and 2 GB"),
            ([10, 13], "keys 0 and 1"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb74.two_gpus(answer)


class TestSeventyMegabytes:
    @pytest.mark.parametrize(
        "answer",
        [
            layers(3),
            layers(0, **{f"encoder.layer.{i}": "cpu" for i in (1, 3, 5)}),
            {"": "disk", "embeddings": "cpu", "pooler": "cpu"}
            | {f"encoder.layer.{i}": "cpu" for i in range(3)},
        ],
    )
    def test_three_layers_fit(self, answer):
        assert check("74.3", answer)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (layers(2), "room for another"),
            (layers(4), "too much"),
            (layers(3, pooler="disk"), "pooler should be in memory"),
            (layers(3, **{"encoder.layer.0.output": "disk"}), "cut in two"),
            (layers(3, **{"encoder.layer.6": "disk"}), "no part called 'encoder.layer.6'"),
            ({"embeddings": "cpu", "encoder": "disk"}, "pooler.*doesn't have any device set"),
            (layers(3, pooler="attic"), "no device of this machine"),
            ("auto", "is a dictionary"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb74.seventy(answer)
