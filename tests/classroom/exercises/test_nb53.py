"""Checkers of notebook 53: right answers, and the reason that a wrong one gets."""

from __future__ import annotations

import ast

import pytest
from classroom.exercises import Wrong, check, nb53
from nanoformers import PretrainedConfig


class KiteConfig(PretrainedConfig):
    model_type = "kite"

    def __init__(self, width=8, sizes=(3, 5), **kwargs):
        if width < 1:
            raise ValueError(f"`width` must be at least 1, got {width}.")
        self.width, self.sizes = width, list(sizes)
        super().__init__(**kwargs)


class Unnamed(KiteConfig):
    model_type = "bird"


class Unchecked(PretrainedConfig):
    model_type = "kite"

    def __init__(self, width=8, sizes=(3, 5), **kwargs):
        self.width, self.sizes = width, list(sizes)
        super().__init__(**kwargs)


class Forgetful(KiteConfig):
    def __init__(self, width=8, sizes=(3, 5)):
        super().__init__(width, sizes)


class Swallowing(KiteConfig):
    def __init__(self, width=8, sizes=(3, 5), **kwargs):
        super().__init__(width, sizes)


class Sharing(KiteConfig):
    def __init__(self, width=8, sizes=[3, 5], **kwargs):  # noqa: B006
        super().__init__(width, **kwargs)
        self.sizes = sizes


class Narrow(KiteConfig):
    def __init__(self, width=4, **kwargs):
        super().__init__(width, **kwargs)


class TestKiteConfig:
    def test_one_that_checks_and_survives_is_right(self):
        assert check("53.1", KiteConfig)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Unnamed, "'bird', not 'kite'"),
            (Unchecked, "width=0 is accepted"),
            (Forgetful, "fails: .*id2label"),
            (Swallowing, "labels get lost"),
            (Sharing, "the list is shared"),
            (Narrow, "`width` is 4, not 8"),
            (dict, "derived from PretrainedConfig"),
            (KiteConfig(), "class itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb53.kite_config(answer)


def adapted(theirs, model):
    renamed = {f"model.{name.removeprefix('module.')}": tensor for name, tensor in theirs.items()}
    return {name: tensor for name, tensor in renamed.items() if name in model.state_dict()}


def in_place(theirs, model):
    found = adapted(theirs, model)
    theirs.clear()
    return found


class TestAdapted:
    def test_renaming_and_leaving_out_is_right(self):
        assert check("53.2", adapted)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (lambda theirs, model: theirs, "complains"),
            (
                lambda theirs, model: {k.replace("module.", "model."): v for k, v in theirs.items()},
                "complains",
            ),
            (lambda theirs, model: model.state_dict(), "is not what it was"),
            (in_place, "changes the dictionary"),
            (lambda theirs, model: None, "NoneType"),
            ({}, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb53.adapted(answer)


def runs_at_import(source):
    lines, waiting = set(), [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            lines.add(node.lineno)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += node.decorator_list + node.args.defaults + [d for d in node.args.kw_defaults if d]
        elif isinstance(node, ast.Lambda):
            waiting += node.args.defaults + [d for d in node.args.kw_defaults if d]
        else:
            waiting += ast.iter_child_nodes(node)
    return lines


def everywhere(source):
    return {node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)}


def statements_only(source):
    body = ast.parse(source).body
    return {n.lineno for n in body if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)}


class TestRunsAtImport:
    def test_a_walk_that_leaves_out_bodies_is_right(self):
        assert check("53.3", runs_at_import)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (everywhere, "the body of a function waits"),
            (statements_only, "the body of a class runs"),
            (lambda source: set(), "first line of a file runs"),
            (lambda source: source.no_such_method(), "fails with AttributeError"),
            ({1}, "function itself"),
        ],
    )
    def test_anything_else_gets_a_reason(self, answer, reason):
        with pytest.raises(Wrong, match=reason):
            nb53.runs_at_import(answer)
