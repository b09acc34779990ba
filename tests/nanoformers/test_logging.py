"""The documented logging functions."""

from __future__ import annotations

import io
import logging as standard_logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator

import pytest
from nanoformers.utils import logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    level = logging.get_verbosity()
    yield
    logging.set_verbosity(level)
    logging.reset_format()
    logging.disable_propagation()
    logging.enable_default_handler()


@pytest.fixture
def heard() -> Iterator[io.StringIO]:
    """What a handler added to the library's logger writes."""
    stream = io.StringIO()
    handler = standard_logging.StreamHandler(stream)
    logging.add_handler(handler)
    yield stream
    logging.remove_handler(handler)


@pytest.mark.parametrize(
    ("set_level", "level"),
    [
        (logging.set_verbosity_error, 40),
        (logging.set_verbosity_warning, 30),
        (logging.set_verbosity_info, 20),
        (logging.set_verbosity_debug, 10),
    ],
)
def test_verbosity(set_level, level):
    set_level()
    assert logging.get_verbosity() == level
    assert logging.get_logger("nanoformers.models").getEffectiveLevel() == level


def test_a_level_silences_those_below(heard):
    logger = logging.get_logger("nanoformers.anything")
    logging.set_verbosity_error()
    logger.warning("unheard")
    logging.set_verbosity_info()
    logger.info("heard")
    assert heard.getvalue() == "heard\n"


def test_messages_go_to_standard_error(capsys):
    logging.get_logger("nanoformers").warning("look")
    assert capsys.readouterr().err == "look\n"


def test_default_handler_can_be_disabled(capsys):
    logging.disable_default_handler()
    logging.get_logger("nanoformers").warning("look")
    assert capsys.readouterr().err == ""


def test_explicit_format(capsys):
    logging.enable_explicit_format()
    logging.get_logger("nanoformers").warning("look")
    line = capsys.readouterr().err
    assert line.startswith("[WARNING|test_logging.py:")
    assert line.endswith(">> look\n")


def test_propagation():
    stream = io.StringIO()
    handler = standard_logging.StreamHandler(stream)
    standard_logging.getLogger().addHandler(handler)
    try:
        logging.get_logger("nanoformers").warning("unheard")
        logging.enable_propagation()
        logging.get_logger("nanoformers").warning("heard")
    finally:
        standard_logging.getLogger().removeHandler(handler)
    assert stream.getvalue() == "heard\n"


def test_warning_once(heard):
    logger = logging.get_logger("nanoformers.once")
    for value in (1, 1, 2):
        logger.warning_once("value %s", value)
    assert heard.getvalue() == "value 1\nvalue 2\n"


def test_advice_can_be_switched_off(heard, monkeypatch):
    logger = logging.get_logger("nanoformers")
    logger.warning_advice("one")
    monkeypatch.setenv("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    logger.warning_advice("two")
    assert heard.getvalue() == "one\n"


def test_captured_warnings(heard):
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            standard_logging.captureWarnings(True)
            warnings.warn("old", FutureWarning, stacklevel=1)
    finally:
        logging.captureWarnings(False)
    assert "FutureWarning: old" in heard.getvalue()


@pytest.mark.filterwarnings("ignore:Cannot .*able progress bars")
def test_progress_bars():
    assert logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    assert not logging.is_progress_bar_enabled()
    with logging.tqdm(range(3)) as bar:
        bar.set_description("nothing")
        assert list(bar) == [0, 1, 2]
    assert isinstance(bar, logging.EmptyTqdm)
    logging.enable_progress_bar()
    assert logging.is_progress_bar_enabled()


def test_removing_an_unknown_handler():
    with pytest.raises(ValueError, match="is not a handler"):
        logging.remove_handler(standard_logging.NullHandler())


@pytest.mark.parametrize(
    ("value", "level"),
    [("debug", "10"), ("info", "20"), ("error", "40"), ("critical", "50"), ("detail", "10")],
)
def test_environment_variable(value, level):
    assert run("print(logging.get_verbosity())", TRANSFORMERS_VERBOSITY=value).stdout.strip() == level


def test_bad_environment_variable():
    done = run("print(logging.get_verbosity())", TRANSFORMERS_VERBOSITY="loud")
    assert done.stdout.strip() == "30"
    assert "Unknown option TRANSFORMERS_VERBOSITY=loud, has to be one of: detail, debug, info" in done.stderr


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"from nanoformers.utils import logging; {code}"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
