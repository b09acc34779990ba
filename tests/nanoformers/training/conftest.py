"""Fixtures for the tests of training."""

import logging as python_logging
from collections.abc import Iterator

import pytest
from nanoformers.utils import logging


class LibraryLog(python_logging.Handler):
    """Keeps what the library logs while a test runs."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: python_logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    @property
    def text(self) -> str:
        return "\n".join(self.messages)


@pytest.fixture
def library_log() -> Iterator[LibraryLog]:
    """What the library logs during the test, from warnings upwards."""
    log = LibraryLog()
    logging.add_handler(log)
    yield log
    logging.remove_handler(log)
