"""Record what the processors of `transformers` 4.57.6 make of GLUE, XNLI and SQuAD files.

Version 5 of the reference library has dropped them. The files are stand-ins in the real layouts, written by
`write_files`; `answers` is run on them by this script and by the tests. To make the record anew, in an
environment of its own:

    python -m venv reference && reference/bin/pip install transformers==4.57.6 torch numpy
    reference/bin/python tests/parity/golden/make_processors.py
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

CHECKPOINT = Path(__file__).parents[3] / "data" / "hub" / "models" / "toyland" / "fill-mask-bert"
PAIRS = [
    ("The little fox runs in the garden.", 'A fox is in the "garden".'),
    ("Anna has a red ball, and sings.", "Anna sings a song."),
    ("The dog sleeps.", "The unhappy whale swims."),
]
STORY = (
    "Anna lives in a small house by the sea . She has a blue boat and an old dog . "
    "In the morning the dog runs to the beach, and Anna finds a golden key under a big stone. "
    "The key opens a green door in the tower, where a friendly dragon reads books all day."
)
QUESTIONS = [
    ("q1", "Where does Anna live?", "a small house", False),
    ("q2", "What does Anna find under the big stone at the beach in the morning?", "a golden key", False),
    ("q3", "Who reads books?", "dragon", False),
    ("q4", "What colour has the car?", None, True),
]
TASKS = ["cola", "mnli", "mnli-mm", "mrpc", "sst-2", "sts-b", "qqp", "qnli", "rte", "wnli"]
SQUAD_CASES = [
    {"max_seq_length": 64, "doc_stride": 16, "max_query_length": 32, "is_training": True},
    {"max_seq_length": 48, "doc_stride": 9, "max_query_length": 12, "is_training": True},
    {"max_seq_length": 110, "doc_stride": 40, "max_query_length": 64, "is_training": False},
]


def _row(width: int, cells: dict[int, str]) -> list[str]:
    return [cells.get(column % width, cells.get(column - width, f"c{column}")) for column in range(width)]


def write_files(folder: Path) -> None:
    """Write the tables of every GLUE task, of XNLI and the files of both versions of SQuAD."""
    layouts = {  # width, columns of texts, column of the label, labels, files
        "cola": (4, (3,), 1, ["0", "1", "1"], ["train", "dev"]),
        "mnli": (12, (8, 9), 11, ["neutral", "entailment", "contradiction"], ["train", "dev_matched"]),
        "mnli-mm": (12, (8, 9), 11, ["neutral", "entailment", "contradiction"], ["train", "dev_mismatched"]),
        "mrpc": (5, (3, 4), 0, ["0", "1", "1"], ["train", "dev"]),
        "sst-2": (2, (0,), 1, ["0", "1", "1"], ["train", "dev"]),
        "sts-b": (10, (7, 8), 9, ["1.5", "5.000", "0"], ["train", "dev"]),
        "qqp": (6, (3, 4), 5, ["0", "1", "1"], ["train", "dev"]),
        "qnli": (4, (1, 2), 3, ["entailment", "not_entailment", "entailment"], ["train", "dev"]),
        "rte": (4, (1, 2), 3, ["entailment", "not_entailment", "entailment"], ["train", "dev"]),
        "wnli": (4, (1, 2), 3, ["0", "1", "1"], ["train", "dev"]),
    }
    tests = {"cola": (2, (1,)), "sst-2": (2, (1,)), "qqp": (3, (1, 2))}
    names = {"mnli": "test_matched", "mnli-mm": "test_mismatched"}
    for task, (width, texts, label, labels, files) in layouts.items():
        rows = [
            _row(width, {label: labels[i], **dict(zip(texts, pair))})  # noqa: B905 - one text or two
            for i, pair in enumerate(PAIRS)
        ]
        if task == "qqp":
            rows.insert(1, ["7", "broken"])
        header = [] if task == "cola" else [[f"name{column}" for column in range(width)]]
        for file in files:
            _write(folder / task / f"{file}.tsv", header + rows)
        test_width, test_texts = tests.get(task, (width, texts))
        rows = [_row(test_width, dict(zip(test_texts, pair))) for pair in PAIRS]  # noqa: B905
        _write(
            folder / task / f"{names.get(task, 'test')}.tsv", [[f"name{n}" for n in range(test_width)], *rows]
        )
    xnli = folder / "xnli"
    _write(
        xnli / "XNLI-MT-1.0" / "multinli" / "multinli.train.fr.tsv",
        [["premise", "hypo", "label"]]
        + [[*pair, label] for pair, label in zip(PAIRS, ["neutral", "contradictory", "entailment"])],  # noqa: B905
    )
    rows = [_row(9, {0: language, 1: "neutral", 6: a, 7: b}) for language in ("fr", "en") for a, b in PAIRS]
    _write(xnli / "XNLI-1.0" / "xnli.test.tsv", [[f"name{n}" for n in range(9)], *rows])
    for version in ("1.1", "2.0"):
        questions = []
        for identity, question, answer, impossible in QUESTIONS:
            if impossible and version == "1.1":
                continue
            answers = [] if impossible else [{"text": answer, "answer_start": STORY.index(answer)}] * 2
            entry = {"id": identity, "question": question, "answers": answers}
            questions.append({**entry, "is_impossible": impossible} if version == "2.0" else entry)
        wrong = {"id": "q5", "question": "Who?", "answers": [{"text": "a fox", "answer_start": 3}]}
        article = {"title": "Anna", "paragraphs": [{"context": STORY, "qas": [*questions, wrong]}]}
        for part in ("train", "dev"):
            file = folder / "squad" / f"{part}-v{version}.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"version": version, "data": [article]}))


def _write(file: Path, rows: list[list[str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


def answers(glue: Any, xnli: Any, squad: Any, tokenizer: Any, folder: Path) -> dict[str, Any]:
    """Return all that the processors make of the files, as JSON holds it."""
    found: dict[str, Any] = {
        "output_modes": glue.glue_output_modes,
        "num_labels": glue.glue_tasks_num_labels,
    }
    for task in TASKS:
        processor = glue.glue_processors[task]()
        split = {
            name: getattr(processor, f"get_{name}_examples")(str(folder / task))
            for name in ("train", "dev", "test")
        }
        features = []
        if split["train"][0].text_b is not None:  # the reference library makes none of single texts
            features = glue.glue_convert_examples_to_features(split["train"], tokenizer, 24, task=task)
        found[task] = {
            "labels": processor.get_labels(),
            "examples": {name: [dataclasses.asdict(one) for one in rows] for name, rows in split.items()},
            "features": [dataclasses.asdict(one) for one in features],
        }
    processor = xnli.xnli_processors["xnli"]("en", "fr")
    found["xnli"] = {
        "labels": processor.get_labels(),
        "train": [dataclasses.asdict(one) for one in processor.get_train_examples(str(folder / "xnli"))],
        "test": [dataclasses.asdict(one) for one in processor.get_test_examples(str(folder / "xnli"))],
    }
    for name, processor_class in (("v1", squad.SquadV1Processor), ("v2", squad.SquadV2Processor)):
        examples = {
            "train": processor_class().get_train_examples(str(folder / "squad")),
            "dev": processor_class().get_dev_examples(str(folder / "squad")),
        }
        found[f"squad_{name}"] = {
            "examples": {part: [dict(vars(one)) for one in rows] for part, rows in examples.items()},
            "features": [
                [
                    {key: value for key, value in vars(one).items() if key != "encoding"}
                    for one in squad.squad_convert_examples_to_features(
                        examples["train" if case["is_training"] else "dev"],
                        tokenizer,
                        tqdm_enabled=False,
                        **case,
                    )
                ]
                for case in SQUAD_CASES[: 1 if name == "v1" else None]
            ],
        }
    return json.loads(json.dumps(found))


if __name__ == "__main__":
    import transformers
    from transformers.data.processors import glue, squad, xnli

    warnings.simplefilter("ignore")
    tokenizer = transformers.BertTokenizer.from_pretrained(str(CHECKPOINT))
    with tempfile.TemporaryDirectory() as temporary:
        write_files(Path(temporary))
        record = answers(glue, xnli, squad, tokenizer, Path(temporary))
    file = Path(__file__).with_name("processors.json")
    file.write_text(json.dumps({"transformers": transformers.__version__, "answers": record}) + "\n")
