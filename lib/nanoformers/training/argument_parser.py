"""`HfArgumentParser`: dataclasses filled from a command line, a dictionary, or a JSON or YAML file.

Mirrors the documentation page `internal/trainer_utils`. Every field becomes `--its_name` (and `--its-name`),
with the type that its annotation says and the help text of its metadata.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import types
from argparse import SUPPRESS, ArgumentDefaultsHelpFormatter, ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

__all__ = ["HfArg", "HfArgumentParser"]

_TRUE, _FALSE = {"yes", "true", "t", "y", "1"}, {"no", "false", "f", "n", "0"}


def HfArg(  # noqa: N802 - the documented name
    *,
    aliases: str | list[str] | None = None,
    help: str | None = None,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    metadata: dict[str, Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Return a dataclass field for `HfArgumentParser`, written shorter than with `dataclasses.field`.

    Args:
        aliases: further names of the argument, such as "-e".
        help: what `--help` says of it.
        default: its default value; without this and the next, the argument is required.
        default_factory: makes the default value, where that is a list or dictionary.
        metadata: more for `argparse.ArgumentParser.add_argument`.
        kwargs: more for `dataclasses.field`.
    """
    metadata = dict(metadata or {})
    if aliases is not None:
        metadata["aliases"] = aliases
    if help is not None:
        metadata["help"] = help
    return dataclasses.field(metadata=metadata, default=default, default_factory=default_factory, **kwargs)


class HfArgumentParser(ArgumentParser):
    """An `argparse.ArgumentParser` whose arguments are the fields of dataclasses.

    More arguments may be added to it as to any parser; they come back in a namespace after the dataclasses.
    A dataclass with an attribute `_argument_group_name` gets a group of its own in `--help`.

    How a field becomes an argument: `bool` may stand alone (`--flag`) or with a word (`--flag no`), and one
    that is True by default gets a twin `--no_flag`; `bool | str` takes any other word, too; a
    `Literal` or an `Enum` allows its values only; a `list[...]` takes one value or more; a `dict` takes JSON;
    `Optional[...]` is read as what it holds.

    Args:
        dataclass_types: one dataclass or several, which are filled in this order.
        kwargs: arguments of `argparse.ArgumentParser`.

    Raises:
        ValueError: a field's type is a union of several types, which a command line cannot tell apart.
        RuntimeError: annotations cannot be resolved (a dataclass defined inside a function, in a module with
            `from __future__ import annotations`).
    """

    def __init__(self, dataclass_types: Any = None, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", ArgumentDefaultsHelpFormatter)
        super().__init__(**kwargs)
        if dataclass_types is None:
            dataclass_types = []
        elif not isinstance(dataclass_types, Iterable):
            dataclass_types = [dataclass_types]
        self.dataclass_types: list[Any] = list(dataclass_types)
        for dataclass_type in self.dataclass_types:
            self._add_dataclass(dataclass_type)

    def _add_dataclass(self, dataclass_type: Any) -> None:
        if not dataclasses.is_dataclass(dataclass_type):
            raise TypeError(f"{dataclass_type!r} is no dataclass: decorate it with `@dataclass`.")
        group: Any = self
        if hasattr(dataclass_type, "_argument_group_name"):
            group = self.add_argument_group(dataclass_type._argument_group_name)
        try:
            hints = get_type_hints(dataclass_type)
        except NameError as error:
            raise RuntimeError(
                f"Type resolution failed for {dataclass_type}: {error}. Define the class at the top of its "
                "module, or leave out `from __future__ import annotations` there."
            ) from None
        for field in dataclasses.fields(dataclass_type):
            if field.init:
                _add_field(group, field, hints[field.name])

    def parse_args_into_dataclasses(
        self,
        args: Sequence[str] | None = None,
        return_remaining_strings: bool = False,
        look_for_args_file: bool = True,
        args_filename: str | os.PathLike[str] | None = None,
        args_file_flag: str | None = None,
    ) -> tuple[Any, ...]:
        """Fill the dataclasses from a command line.

        Files of arguments hold what a command line would, parted by white space. Of an argument that is given
        more than once the last counts, and the command line comes after all files.

        Args:
            args: the command line; by default that of this program.
            return_remaining_strings: return what no argument took, in place of an error.
            look_for_args_file: read the file that is named as the program, with the suffix `.args`, when
                there is one.
            args_filename: read this file in its place.
            args_file_flag: an argument of the command line that names a file of arguments, such as
                `--args_file`; it may be there several times.

        Returns:
            The dataclasses, in order; a namespace, when the parser has other arguments; the list of remaining
            strings, when asked for.

        Raises:
            ValueError: something was taken by no argument.
            FileNotFoundError: a file of arguments that was asked for is missing.
            SystemExit: argparse found an error, which it has printed.
        """
        words = list(sys.argv[1:] if args is None else args)
        from_files: list[str] = []
        if args_filename is not None:
            from_files += _words_of(Path(args_filename))
        elif look_for_args_file and sys.argv and sys.argv[0]:
            beside = Path(sys.argv[0]).with_suffix(".args")
            from_files += _words_of(beside) if beside.is_file() else []
        if args_file_flag is not None:
            finder = ArgumentParser(add_help=False, allow_abbrev=False)
            finder.add_argument(args_file_flag, dest="files", action="append", default=[])
            found, words = finder.parse_known_args(words)
            for name in found.files:
                from_files += _words_of(Path(name))
        namespace, remaining = self.parse_known_args(from_files + words)

        outputs = [self._take(dataclass_type, namespace) for dataclass_type in self.dataclass_types]
        for dataclass_type in self.dataclass_types:
            for name in _names(dataclass_type):
                if hasattr(namespace, name):
                    delattr(namespace, name)
        if vars(namespace):
            outputs.append(namespace)
        if return_remaining_strings:
            return (*outputs, remaining)
        if remaining:
            raise ValueError(f"Some specified arguments are not used by the HfArgumentParser: {remaining}")
        return tuple(outputs)

    def _take(self, dataclass_type: Any, namespace: Any) -> Any:
        """Return the dataclass with the values of a namespace; defaults from factories are made anew."""
        values = {}
        for field in dataclasses.fields(dataclass_type):
            if not field.init or not hasattr(namespace, field.name):
                continue
            value = getattr(namespace, field.name)
            by_factory = field.default_factory is not dataclasses.MISSING
            if not (by_factory and value is self.get_default(field.name)):
                values[field.name] = value
        return dataclass_type(**values)

    def parse_dict(self, args: dict[str, Any], allow_extra_keys: bool = False) -> tuple[Any, ...]:
        """Fill the dataclasses from a dictionary; values are taken as they are.

        Args:
            args: {name of a field: value}.
            allow_extra_keys: leave out keys that are no field's name, in place of an error.

        Raises:
            ValueError: a key is no field's name.
            TypeError: a required field is missing.
        """
        unknown = set(args).difference(*map(_names, self.dataclass_types))
        if unknown and not allow_extra_keys:
            raise ValueError(f"Some keys are not used by the HfArgumentParser: {sorted(unknown)}")
        return tuple(
            dataclass_type(**{name: args[name] for name in _names(dataclass_type) if name in args})
            for dataclass_type in self.dataclass_types
        )

    def parse_json_file(
        self, json_file: str | os.PathLike[str], allow_extra_keys: bool = False
    ) -> tuple[Any, ...]:
        """Fill the dataclasses from a JSON file; see `parse_dict`.

        Raises:
            ValueError: the file holds no JSON object, or an unknown key.
        """
        return self.parse_dict(_mapping_of(json_file, json.loads, "JSON"), allow_extra_keys)

    def parse_yaml_file(
        self, yaml_file: str | os.PathLike[str], allow_extra_keys: bool = False
    ) -> tuple[Any, ...]:
        """Fill the dataclasses from a YAML file; see `parse_dict`.

        Raises:
            ValueError: the file holds no YAML mapping, or an unknown key.
        """
        import yaml

        def load(text: str) -> Any:
            try:
                return yaml.safe_load(text)
            except yaml.YAMLError as error:
                raise ValueError(str(error)) from None

        return self.parse_dict(_mapping_of(yaml_file, load, "YAML"), allow_extra_keys)


def _names(dataclass_type: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(dataclass_type) if field.init]


def _words_of(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").split()


def _mapping_of(file: str | os.PathLike[str], load: Callable[[str], Any], kind: str) -> dict[str, Any]:
    try:
        content = load(Path(file).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{os.fspath(file)} is no {kind}: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{os.fspath(file)} holds {type(content).__name__}, not {{name: value}}.")
    return content


def _add_field(group: Any, field: dataclasses.Field[Any], annotation: Any) -> None:
    """Add the argument (for a bool that is True also its twin) of one field."""
    settings = dict(field.metadata)
    aliases = settings.pop("aliases", [])
    aliases = [aliases] if isinstance(aliases, str) else list(aliases)
    twin_settings = dict(settings)
    kind, optional = _what_it_holds(annotation, field.name)
    if field.default is not dataclasses.MISSING:
        settings["default"] = field.default
    elif field.default_factory is not dataclasses.MISSING:
        settings["default"] = field.default_factory()
    elif kind is bool and not optional:
        settings["default"] = False
    else:
        settings["required"] = True

    if get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum)):
        choices = list(get_args(kind)) if get_origin(kind) is Literal else [member.value for member in kind]
        by_name = {str(choice): choice for choice in choices}
        settings["choices"] = choices
        settings["type"] = lambda word: by_name.get(word, word)
    elif kind is bool:
        settings["type"] = _truth
        if settings.get("default") is not None:
            settings.update(nargs="?", const=True)
    elif kind is _truth_or_word:
        settings.update(type=kind, nargs="?", const=True)
    elif kind is list or get_origin(kind) is list:
        settings.update(nargs="+", type=(get_args(kind) or (str,))[0])
        if isinstance(field.default, str):  # which argparse would convert as if it stood on the command line
            settings["default"] = SUPPRESS
    elif kind is dict or get_origin(kind) is dict:
        settings["type"] = _json_object
    else:
        settings["type"] = kind
    group.add_argument(*_options(field.name), *aliases, **settings)
    if kind is bool and field.default is True:
        twin_settings["default"] = False
        options = [f"--no_{field.name}", f"--no-{field.name.replace('_', '-')}"]
        group.add_argument(*options, action="store_false", dest=field.name, **twin_settings)


def _options(name: str) -> list[str]:
    return list(dict.fromkeys([f"--{name}", f"--{name.replace('_', '-')}"]))


def _what_it_holds(annotation: Any, name: str) -> tuple[Any, bool]:
    """Return the type that a word of the command line becomes, and whether None is allowed too."""
    if get_origin(annotation) not in (Union, types.UnionType):
        return annotation, False
    members = get_args(annotation)
    optional = type(None) in members
    others = [member for member in members if member not in (type(None), str)]
    if str in members:
        if len(others) == 1 and (others[0] is list or get_origin(others[0]) is list) and not optional:
            return others[0], optional
        if bool in others:
            return _truth_or_word, optional
        numbers = [member for member in others if member in (int, float)]
        return (_first_that_fits(numbers) if numbers else str), optional
    if len(others) != 1:
        raise ValueError(
            "Only `Union[X, NoneType]` (i.e., `Optional[X]`) is allowed for `Union` because the argument "
            f"parser only supports one type per argument. Problem encountered in field '{name}'."
        )
    return others[0], optional


def _first_that_fits(numbers: list[Any]) -> Callable[[str], Any]:
    """Return a converter that tries the types in turn and leaves the word as it is when none fits."""

    def convert(word: str) -> Any:
        for number in numbers:
            try:
                return number(word)
            except ValueError:
                continue
        return word

    return convert


def _truth(word: str | bool) -> bool:
    if isinstance(word, bool):
        return word
    if word.lower() in _TRUE | _FALSE:
        return word.lower() in _TRUE
    raise ArgumentTypeError(
        f"Truthy value expected: got {word} but expected one of yes/no, true/false, t/f, y/n, 1/0 "
        "(case insensitive)."
    )


def _truth_or_word(word: str) -> bool | str:
    return word.lower() in _TRUE if word.lower() in _TRUE | _FALSE else word


def _json_object(word: str) -> dict[str, Any]:
    try:
        value = json.loads(word)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ArgumentTypeError(f"a JSON object is expected, such as '{{\"name\": 1}}', not {word}")
    return value
