from __future__ import annotations

from pathlib import Path

import pytest
from classroom.sources import minilm_folder
from nanoformers import BertTokenizer, BertTokenizerFast

CHECKPOINT = minilm_folder()
MAXIMUM = 6


@pytest.fixture
def checkpoint() -> Path:
    """Return the folder of all-MiniLM-L6-v2, with its real vocabulary."""
    return CHECKPOINT


@pytest.fixture
def slow() -> BertTokenizer:
    return BertTokenizer.from_pretrained(CHECKPOINT, model_max_length=MAXIMUM)


@pytest.fixture
def fast() -> BertTokenizerFast:
    return BertTokenizerFast.from_pretrained(CHECKPOINT, model_max_length=MAXIMUM)


@pytest.fixture(params=["slow", "fast"])
def tokenizer(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def logged(caplog):
    """Return a function that gives the messages logged so far (the library's loggers do not propagate)."""
    from nanoformers.utils import logging

    logging.add_handler(caplog.handler)
    yield lambda: [record.getMessage() for record in caplog.records]
    logging.remove_handler(caplog.handler)
