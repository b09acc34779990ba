"""How much the library says, where it says it, and its progress bars.

Mirrors the documentation page `main_classes/logging`: one level for the whole library (WARNING unless the
environment variable `TRANSFORMERS_VERBOSITY` says otherwise), one handler that writes to standard error.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from logging import CRITICAL, DEBUG, ERROR, FATAL, INFO, NOTSET, WARN, WARNING
from typing import Any, TextIO

__all__ = [
    "CRITICAL",
    "DEBUG",
    "ERROR",
    "FATAL",
    "INFO",
    "NOTSET",
    "WARN",
    "WARNING",
    "EmptyTqdm",
    "Logger",
    "add_handler",
    "captureWarnings",
    "disable_default_handler",
    "disable_progress_bar",
    "disable_propagation",
    "enable_default_handler",
    "enable_explicit_format",
    "enable_progress_bar",
    "enable_propagation",
    "get_log_levels_dict",
    "get_logger",
    "get_verbosity",
    "is_progress_bar_enabled",
    "remove_handler",
    "reset_format",
    "set_verbosity",
    "set_verbosity_debug",
    "set_verbosity_error",
    "set_verbosity_info",
    "set_verbosity_warning",
    "tqdm",
    "warning_advice",
    "warning_once",
]

LIBRARY = __name__.partition(".")[0]
DEFAULT_LEVEL = WARNING
LEVELS = {
    "detail": DEBUG,  # as debug, and each line says where it comes from
    "debug": DEBUG,
    "info": INFO,
    "warning": WARNING,
    "error": ERROR,
    "critical": CRITICAL,
}
EXPLICIT_FORMAT = "[%(levelname)s|%(filename)s:%(lineno)s] %(asctime)s >> %(message)s"
DETAILED_FORMAT = "[%(levelname)s|%(pathname)s:%(lineno)s] %(asctime)s >> %(message)s"

_lock = threading.Lock()
_default_handler: logging.Handler | None = None
_said_once: set[tuple[Any, ...]] = set()
_progress_bars = True


class Logger(logging.Logger):
    """A standard logger with two more ways to warn."""

    def warning_advice(self, message: str, *args: Any, **kwargs: Any) -> None:
        """Warn, unless the environment variable `TRANSFORMERS_NO_ADVISORY_WARNINGS` is set."""
        if not os.environ.get("TRANSFORMERS_NO_ADVISORY_WARNINGS"):
            self.warning(message, *args, **{"stacklevel": 2, **kwargs})

    def warning_once(self, message: str, *args: Any, **kwargs: Any) -> None:
        """Warn the first time this message with these arguments comes by in this process."""
        key = (self.name, message, *map(repr, args))
        if key not in _said_once:
            _said_once.add(key)
            self.warning(message, *args, **{"stacklevel": 2, **kwargs})


class _StandardErrorHandler(logging.StreamHandler):
    """Writes to whatever `sys.stderr` is when the message comes (notebooks and tests replace it)."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def _level_from_environment() -> int:
    """Return the level that `TRANSFORMERS_VERBOSITY` names, or the default one."""
    name = os.environ.get("TRANSFORMERS_VERBOSITY")
    if not name:
        return DEFAULT_LEVEL
    if name not in LEVELS:
        logging.getLogger().warning(
            f"Unknown option TRANSFORMERS_VERBOSITY={name}, has to be one of: {', '.join(LEVELS)}"
        )
        return DEFAULT_LEVEL
    return LEVELS[name]


def _plain(name: str) -> Logger:
    """Return the logger of that name, with our two methods."""
    logger = logging.getLogger(name)
    if type(logger) is logging.Logger:  # leave alone what an application made of a class of its own
        logger.__class__ = Logger
    return logger  # type: ignore[return-value]


def _library_logger() -> Logger:
    """Return the logger above all of ours; give it its handler and level on first use."""
    global _default_handler
    with _lock:
        logger = _plain(LIBRARY)
        if _default_handler is None:
            _default_handler = _StandardErrorHandler()
            if os.environ.get("TRANSFORMERS_VERBOSITY") == "detail":
                _default_handler.setFormatter(logging.Formatter(DETAILED_FORMAT))
            logger.addHandler(_default_handler)
            logger.setLevel(_level_from_environment())
            logger.propagate = False
        return logger


def get_logger(name: str | None = None) -> Logger:
    """Return a logger.

    Args:
        name: usually `__name__`. Without it, the logger above all of the library's.
    """
    library = _library_logger()
    return library if name is None else _plain(name)


def get_log_levels_dict() -> dict[str, int]:
    """Return the names that `TRANSFORMERS_VERBOSITY` may have, with their levels."""
    return dict(LEVELS)


def get_verbosity() -> int:
    """Return the library's current level: 50, 40, 30, 20 or 10 (CRITICAL ... DEBUG)."""
    return _library_logger().getEffectiveLevel()


def set_verbosity(verbosity: int) -> None:
    """Set the library's level.

    Args:
        verbosity: `CRITICAL` (50), `ERROR` (40), `WARNING` (30), `INFO` (20) or `DEBUG` (10).
    """
    _library_logger().setLevel(verbosity)


def set_verbosity_info() -> None:
    """Say what is being done, warnings and errors."""
    set_verbosity(INFO)


def set_verbosity_warning() -> None:
    """Say warnings and errors (the default)."""
    set_verbosity(WARNING)


def set_verbosity_debug() -> None:
    """Say everything."""
    set_verbosity(DEBUG)


def set_verbosity_error() -> None:
    """Say errors only."""
    set_verbosity(ERROR)


def enable_default_handler() -> None:
    """Write the library's messages to standard error (the default)."""
    logger = _library_logger()
    assert _default_handler is not None
    logger.addHandler(_default_handler)


def disable_default_handler() -> None:
    """Write nothing to standard error; handlers added with `add_handler` keep working."""
    logger = _library_logger()
    assert _default_handler is not None
    logger.removeHandler(_default_handler)


def add_handler(handler: logging.Handler) -> None:
    """Send the library's messages to `handler` too."""
    _library_logger().addHandler(handler)


def remove_handler(handler: logging.Handler) -> None:
    """Stop sending the library's messages to `handler`.

    Raises:
        ValueError: the handler was not added before.
    """
    logger = _library_logger()
    if handler not in logger.handlers:
        raise ValueError(f"{handler} is not a handler of the library's logger; it has {logger.handlers}.")
    logger.removeHandler(handler)


def enable_propagation() -> None:
    """Pass messages on to the root logger too (turn the default handler off, or lines appear twice)."""
    _library_logger().propagate = True


def disable_propagation() -> None:
    """Keep messages from the root logger (the default)."""
    _library_logger().propagate = False


def enable_explicit_format() -> None:
    """Write each message as `[LEVELNAME|FILENAME:LINE] TIME >> MESSAGE`."""
    for handler in _library_logger().handlers:
        handler.setFormatter(logging.Formatter(EXPLICIT_FORMAT))


def reset_format() -> None:
    """Write bare messages again."""
    for handler in _library_logger().handlers:
        handler.setFormatter(None)


def captureWarnings(capture: bool) -> None:  # noqa: N802 - the documented name
    """Send what goes through Python's `warnings` to the library's handlers, at the library's level.

    Args:
        capture: False gives warnings back to the `warnings` module.
    """
    library, warnings_logger = _library_logger(), logging.getLogger("py.warnings")
    if capture:
        for handler in library.handlers:
            warnings_logger.addHandler(handler)
        warnings_logger.setLevel(library.level)
    else:
        for handler in library.handlers:
            warnings_logger.removeHandler(handler)
    logging.captureWarnings(capture)


warning_advice = Logger.warning_advice
warning_once = Logger.warning_once


class EmptyTqdm:
    """Stands where a progress bar would: iterates, and does nothing else."""

    def __init__(self, iterable: Iterable[Any] | None = None, *args: Any, **kwargs: Any) -> None:
        self._iterable = iterable if iterable is not None else ()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._iterable)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None

    def __enter__(self) -> EmptyTqdm:
        return self

    def __exit__(self, *exception: object) -> None:
        return None


def tqdm(*args: Any, **kwargs: Any) -> Any:
    """Return a `tqdm` progress bar for the place we run in, or an empty one while bars are disabled."""
    if not _progress_bars:
        return EmptyTqdm(*args, **kwargs)
    from tqdm import auto

    return auto.tqdm(*args, **kwargs)


def is_progress_bar_enabled() -> bool:
    """Tell whether the library shows progress bars."""
    return _progress_bars


def enable_progress_bar() -> None:
    """Show progress bars, those of downloads included (the default)."""
    from huggingface_hub.utils import enable_progress_bars

    global _progress_bars
    _progress_bars = True
    enable_progress_bars()


def disable_progress_bar() -> None:
    """Show no progress bars, those of downloads included."""
    from huggingface_hub.utils import disable_progress_bars

    global _progress_bars
    _progress_bars = False
    disable_progress_bars()
