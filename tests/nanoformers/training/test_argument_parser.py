"""`HfArgumentParser`: fields to arguments, command lines and files to dataclasses."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, Optional, Union

import pytest
from nanoformers import HfArg, HfArgumentParser


class Colour(Enum):
    RED = "red"
    NUMBER = 42


@dataclass
class Plain:
    name: str
    size: int = 3
    share: float = 0.5
    loud: bool = False
    quiet: bool = True
    maybe: Optional[bool] = None  # noqa: UP045
    words: list[str] = field(default_factory=lambda: ["a"])
    numbers: list[int] = field(default_factory=list)
    colour: Colour = Colour.RED
    mode: Literal["fast", "slow", 7] = "fast"
    limit: Optional[int] = None  # noqa: UP045
    title: str | None = None
    steps: Union[int, str] = 10  # noqa: UP007
    debug: Union[str, list[str]] = ""  # noqa: UP007
    extra: dict | str | None = None
    table: dict = field(default_factory=dict)
    hidden: int = field(default=5, init=False)


@dataclass
class Short:
    learning_rate: float = HfArg(default=1e-3, aliases=["-l"], help="How fast.")
    data_files: list[str] = HfArg(aliases="--files", default_factory=list)  # noqa: RUF009
    _argument_group_name = "short ones"


def parse(*words: str, types: object = Plain, **kwargs: object) -> object:
    parser = HfArgumentParser(types)
    return parser.parse_args_into_dataclasses(list(words), look_for_args_file=False, **kwargs)[0]


class TestFields:
    def test_defaults(self):
        assert parse("--name", "x") == Plain("x")

    def test_one_without_a_default_is_required(self, capsys):
        with pytest.raises(SystemExit):
            parse()
        assert "the following arguments are required: --name" in capsys.readouterr().err

    def test_bare_bool_without_a_default_is_false(self):
        made = dataclasses.make_dataclass("Made", [("flag", bool)])
        assert parse(types=made).flag is False
        assert parse("--flag", types=made).flag is True

    @pytest.mark.parametrize(
        ("words", "value"),
        [(["--loud"], True), (["--loud", "no"], False), (["--loud", "TRUE"], True), (["--loud", "0"], False)],
    )
    def test_bool(self, words, value):
        assert parse("--name", "x", *words).loud is value

    def test_bool_that_is_no_bool(self, capsys):
        with pytest.raises(SystemExit):
            parse("--name", "x", "--loud", "perhaps")
        assert "Truthy value expected: got perhaps" in capsys.readouterr().err

    @pytest.mark.parametrize("word", ["--no_quiet", "--no-quiet"])
    def test_true_by_default_has_a_twin(self, word):
        assert parse("--name", "x", word).quiet is False

    def test_false_by_default_has_none(self, capsys):
        with pytest.raises(ValueError, match="--no_loud"):
            parse("--name", "x", "--no_loud")

    def test_optional_bool(self):
        assert parse("--name", "x", "--maybe", "yes").maybe is True

    def test_lists(self):
        made = parse("--name", "x", "--words", "b", "c", "--numbers", "1", "2")
        assert (made.words, made.numbers) == (["b", "c"], [1, 2])

    def test_default_lists_are_not_shared(self):
        parser = HfArgumentParser(Plain)
        first, second = (parser.parse_args_into_dataclasses(["--name", "x"])[0] for _ in range(2))
        first.numbers.append(1)
        assert second.numbers == []

    def test_enumeration_gives_the_value(self):
        assert parse("--name", "x", "--colour", "42").colour == 42

    def test_literal_gives_the_value_in_its_type(self):
        assert parse("--name", "x", "--mode", "7").mode == 7

    def test_choices_are_checked(self, capsys):
        with pytest.raises(SystemExit):
            parse("--name", "x", "--mode", "still")
        assert "invalid choice: 'still'" in capsys.readouterr().err

    def test_optional_is_what_it_holds(self):
        made = parse("--name", "x", "--limit", "4", "--title", "T")
        assert (made.limit, made.title) == (4, "T")

    @pytest.mark.parametrize(("word", "value"), [("5", 5), ("half", "half")])
    def test_number_or_text(self, word, value):
        assert parse("--name", "x", "--steps", word).steps == value

    def test_text_or_list_is_a_list(self):
        assert parse("--name", "x", "--debug", "a", "b").debug == ["a", "b"]

    def test_dictionary_or_text_stays_text(self):
        assert parse("--name", "x", "--extra", '{"a": 1}').extra == '{"a": 1}'

    def test_dictionary_is_json(self, capsys):
        assert parse("--name", "x", "--table", '{"a": 1}').table == {"a": 1}
        with pytest.raises(SystemExit):
            parse("--name", "x", "--table", "[1]")
        assert "a JSON object is expected" in capsys.readouterr().err

    def test_hyphens_and_aliases(self):
        assert parse("--learning-rate", "2", types=Short).learning_rate == 2
        assert parse("-l", "3", types=Short).learning_rate == 3
        assert parse("--files", "a", "b", types=Short).data_files == ["a", "b"]

    def test_help_names_group_default_and_text(self):
        text = HfArgumentParser(Short).format_help()
        assert "short ones:" in text
        assert "How fast. (default: 0.001)" in " ".join(text.split())

    def test_a_union_of_types_is_refused(self):
        made = dataclasses.make_dataclass("Made", [("what", Union[int, float, None], None)])  # noqa: UP007
        with pytest.raises(ValueError, match=r"Only `Union\[X, NoneType\]`.*field 'what'"):
            HfArgumentParser(made)

    def test_unresolved_annotations_are_explained(self):
        @dataclass
        class Inside:
            pass

        @dataclass
        class Local:
            what: Inside | None = None

        with pytest.raises(RuntimeError, match="at the top of its module"):
            HfArgumentParser(Local)

    def test_only_dataclasses(self):
        with pytest.raises(TypeError, match="is no dataclass"):
            HfArgumentParser(int)


class TestCommandLine:
    def test_several_dataclasses_and_own_arguments(self):
        parser = HfArgumentParser([Plain, Short])
        parser.add_argument("--seed", type=int, default=1)
        plain, short, others = parser.parse_args_into_dataclasses(
            ["--name", "x", "--learning_rate", "2", "--seed", "9"], look_for_args_file=False
        )
        assert (plain.name, short.learning_rate, others.seed) == ("x", 2, 9)

    def test_what_no_argument_takes(self):
        with pytest.raises(ValueError, match=r"are not used by the HfArgumentParser: \['--what', '1'\]"):
            parse("--name", "x", "--what", "1")
        parser = HfArgumentParser(Plain)
        *_, rest = parser.parse_args_into_dataclasses(
            ["--name", "x", "--what", "1"], return_remaining_strings=True
        )
        assert rest == ["--what", "1"]

    def test_reads_the_command_line_of_the_program(self, monkeypatch, tmp_path):
        monkeypatch.setattr(sys, "argv", [str(tmp_path / "train.py"), "--name", "x", "--size", "7"])
        assert HfArgumentParser(Plain).parse_args_into_dataclasses()[0].size == 7

    def test_a_file_beside_the_program_comes_first(self, monkeypatch, tmp_path):
        (tmp_path / "train.args").write_text("--size 5\n--share 0.1\n--name file")
        monkeypatch.setattr(sys, "argv", [str(tmp_path / "train.py"), "--size", "7"])
        (made,) = HfArgumentParser(Plain).parse_args_into_dataclasses()
        assert (made.name, made.size, made.share) == ("file", 7, 0.1)
        with pytest.raises(SystemExit):
            HfArgumentParser(Plain).parse_args_into_dataclasses(look_for_args_file=False)

    def test_files_by_name_and_by_flag(self, tmp_path):
        for number in (1, 2):
            (tmp_path / f"{number}.args").write_text(f"--size {number} --name f{number}")
        parser = HfArgumentParser(Plain)
        (made,) = parser.parse_args_into_dataclasses(
            ["--args_file", str(tmp_path / "2.args"), "--share", "0.2"],
            args_filename=tmp_path / "1.args",
            args_file_flag="--args_file",
        )
        assert (made.size, made.name, made.share) == (2, "f2", 0.2)

    def test_a_missing_file_is_an_error(self, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"none\.args"):
            parse("--name", "x", args_filename=tmp_path / "none.args")


VALUES = {"name": "x", "size": 4, "words": ["b"]}


class TestFiles:
    def test_dictionary(self):
        (made,) = HfArgumentParser(Plain).parse_dict(VALUES)
        assert made == Plain("x", size=4, words=["b"])

    def test_unknown_keys(self):
        parser = HfArgumentParser(Plain)
        with pytest.raises(ValueError, match=r"Some keys are not used by the HfArgumentParser: \['what'\]"):
            parser.parse_dict({**VALUES, "what": 1})
        assert parser.parse_dict({**VALUES, "what": 1}, allow_extra_keys=True)[0].size == 4

    def test_a_missing_key(self):
        with pytest.raises(TypeError, match="name"):
            HfArgumentParser(Plain).parse_dict({})

    def test_json(self, tmp_path):
        file = tmp_path / "a.json"
        file.write_text(json.dumps(VALUES))
        assert HfArgumentParser(Plain).parse_json_file(file) == (Plain("x", size=4, words=["b"]),)

    def test_yaml(self, tmp_path):
        file = tmp_path / "a.yaml"
        file.write_text("name: x\nsize: 4\nwords: [b]\n")
        assert HfArgumentParser(Plain).parse_yaml_file(file) == (Plain("x", size=4, words=["b"]),)

    @pytest.mark.parametrize(
        ("method", "content"), [("json", "{"), ("json", "[1]"), ("yaml", "a: ["), ("yaml", "1")]
    )
    def test_bad_files(self, tmp_path, method, content):
        file = tmp_path / "bad"
        file.write_text(content)
        with pytest.raises(ValueError, match=r"bad (is no|holds)"):
            getattr(HfArgumentParser(Plain), f"parse_{method}_file")(file)


def test_training_arguments_from_a_command_line():
    from nanoformers import TrainingArguments

    words = "--output_dir out --learning_rate 1e-4 --num_train_epochs 2 --lr_scheduler_type cosine --bf16 no"
    (made,) = HfArgumentParser(TrainingArguments).parse_args_into_dataclasses(words.split())
    assert (made.output_dir, made.learning_rate, made.num_train_epochs) == ("out", 1e-4, 2)


@pytest.mark.parametrize("name", ["gradient_checkpointing", "activation_checkpointing"])
def test_switches_of_training_arguments_may_stand_alone(name):
    from nanoformers import TrainingArguments

    (made,) = HfArgumentParser(TrainingArguments).parse_args_into_dataclasses([f"--{name}"])
    assert made.gradient_checkpointing is True


@pytest.mark.parametrize(
    ("words", "counted"),
    [
        ([], "no"),
        (["--include_num_input_tokens_seen"], "all"),
        (["--include_num_input_tokens_seen", "no"], "no"),
        (["--include_num_input_tokens_seen", "non_padding"], "non_padding"),
    ],
)
def test_a_switch_that_takes_words_too(words, counted):
    from nanoformers import TrainingArguments

    (made,) = HfArgumentParser(TrainingArguments).parse_args_into_dataclasses(words)
    assert made.include_num_input_tokens_seen == counted
