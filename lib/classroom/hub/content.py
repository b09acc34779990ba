"""Answers that carry a file, whole or in part."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_BLOCK = 1 << 20
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and one-past-last byte that a `Range` header asks for, of `size`; None for the whole file.

    Headers that ask for several ranges or in other units are ignored, as HTTP allows.

    Raises:
        ValueError: nothing of the range exists (answered by 416).
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:  # the last n bytes
        length = int(match[2])
        if length == 0 or size == 0:
            raise ValueError(header)
        return max(0, size - length), size
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if start >= size:
        raise ValueError(header)
    return None if end <= start else (start, end)


class FileAnswer(Response):
    """A file by `GET` or `HEAD`, with `Range`, `If-Range` and `If-None-Match`.

    Args:
        source: the content, or the file that holds it.
        size: its bytes.
        etag: its validator, without quotation marks.
        headers: everything else that the answer says.
    """

    def __init__(self, source: bytes | Path, size: int, etag: str, headers: dict[str, str]) -> None:
        super().__init__(status_code=200)
        self.source = source
        self.size = size
        self.etag = f'"{etag}"'
        self.fields = {"ETag": self.etag, "Accept-Ranges": "bytes", **headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it (ASGI)."""
        asked = Headers(scope=scope)
        start, end, status = 0, self.size, 200
        if asked.get("if-none-match") in (self.etag, "*"):
            await self._begin(send, 304, 0)
            await send({"type": "http.response.body", "body": b""})
            return
        if asked.get("if-range", self.etag) == self.etag:
            try:
                part = parse_range(asked.get("range"), self.size)
            except ValueError:
                self.fields["Content-Range"] = f"bytes */{self.size}"
                await self._begin(send, 416, 0)
                await send({"type": "http.response.body", "body": b""})
                return
            if part is not None:
                start, end = part
                status = 206
                self.fields["Content-Range"] = f"bytes {start}-{end - 1}/{self.size}"
        await self._begin(send, status, end - start)
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
        elif isinstance(self.source, bytes):
            await send({"type": "http.response.body", "body": self.source[start:end]})
        else:
            await self._send_file(send, self.source, start, end)

    async def _begin(self, send: Send, status: int, length: int) -> None:
        fields = dict(self.fields)
        if status != 304:
            fields["Content-Length"] = str(length)
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in fields.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})

    async def _send_file(self, send: Send, path: Path, start: int, end: int) -> None:
        file = await anyio.to_thread.run_sync(path.open, "rb")
        try:
            file.seek(start)
            left = end - start
            while left > 0:
                block = await anyio.to_thread.run_sync(file.read, min(_BLOCK, left))
                if not block:
                    raise OSError(f"{path.name} is shorter than announced.")
                left -= len(block)
                await send({"type": "http.response.body", "body": block, "more_body": left > 0})
            if end == start:
                await send({"type": "http.response.body", "body": b""})
        finally:
            file.close()
