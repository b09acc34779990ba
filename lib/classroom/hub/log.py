"""The record of what a hub was asked: lessons show it, tests count it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload


@dataclass(frozen=True)
class Request:
    """One answered request.

    Attributes:
        method: 'GET', 'HEAD', 'POST' ...
        path: address with its query, percent-encoded as it came.
        status: HTTP status of the answer.
        bytes_sent: bytes of the answer's body.
        range: the `Range` header as it came, None without one.
        user: user name of the token, None for nobody.
        at: when the answer was complete, seconds since 1970.
        seconds: from the first byte of the request to the last byte of the answer.
        bytes_received: bytes of the request's body.
    """

    method: str
    path: str
    status: int
    bytes_sent: int
    range: str | None
    user: str | None
    at: float = field(default_factory=time.time)
    seconds: float = 0.0
    bytes_received: int = 0


class RequestLog(Sequence[Request]):
    """The latest requests in the order of their answers, readable from every thread.

    Indexing, slicing and iterating work on a copy of that moment, so requests that arrive meanwhile do no
    harm.

    Args:
        most: how many of the latest requests are kept; None keeps all.
    """

    def __init__(self, most: int | None = None) -> None:
        self._kept: deque[Request] = deque(maxlen=most)
        self._lock = threading.Lock()

    def append(self, request: Request) -> None:
        """Record one request."""
        with self._lock:
            self._kept.append(request)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._kept.clear()

    def snapshot(self) -> list[Request]:
        """A copy of the records, oldest first."""
        with self._lock:
            return list(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    @overload
    def __getitem__(self, index: int) -> Request: ...
    @overload
    def __getitem__(self, index: slice) -> list[Request]: ...
    def __getitem__(self, index: int | slice) -> Request | list[Request]:
        return self.snapshot()[index]

    def __iter__(self) -> Iterator[Request]:
        return iter(self.snapshot())
