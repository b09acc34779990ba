"""Large files: objects named by their sha256, and the pointers for them in git (Git LFS, version 1)."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from classroom.hub.errors import bad_request
from classroom.hub.names import is_sha256

LARGEST_POINTER = 200
"""Bytes; a blob longer than this is never read as a pointer."""

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize ([0-9]{1,18})\n"
)
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Pointer:
    """A large file's name and size in bytes."""

    sha256: str
    size: int

    def to_bytes(self) -> bytes:
        """The pointer file that git keeps in place of the content."""
        lines = (
            "version https://git-lfs.github.com/spec/v1",
            f"oid sha256:{self.sha256}",
            f"size {self.size}",
        )
        return "".join(f"{line}\n" for line in lines).encode()

    @classmethod
    def parse(cls, content: bytes) -> Pointer | None:
        """The pointer that `content` spells, None when it is an ordinary file."""
        match = _POINTER.fullmatch(content)
        return cls(match[1].decode(), int(match[2])) if match else None


def sha256_of(path: Path) -> str:
    """sha256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class ObjectFolder:
    """A folder of files named by their sha256, shared by all repositories of a store.

    An object appears by rename, complete and verified, or not at all; so readers need no lock.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.incoming = root / "incoming"

    def path(self, sha256: str) -> Path:
        """Where the object lies or would lie."""
        if not is_sha256(sha256):
            raise bad_request(f"{str(sha256)[:80]!r} is no sha256 in hexadecimal.")
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def has(self, pointer: Pointer) -> bool:
        """Whether the whole object is there."""
        try:
            return self.path(pointer.sha256).stat().st_size == pointer.size
        except FileNotFoundError:
            return False

    def add_file(self, source: Path, sha256: str) -> Pointer:
        """Take in a file whose hash is known, by hard link where the file system allows, else by copy."""
        pointer = Pointer(sha256, source.stat().st_size)
        if not self.has(pointer):
            incoming = self._new_name()
            try:
                os.link(source.resolve(), incoming)
            except OSError:
                shutil.copyfile(source, incoming)
            self._publish(incoming, sha256)
        return pointer

    def add_bytes(self, content: bytes) -> Pointer:
        """Take in content that is in memory."""
        pointer = Pointer(hashlib.sha256(content).hexdigest(), len(content))
        if not self.has(pointer):
            incoming = self._new_name()
            incoming.write_bytes(content)
            self._publish(incoming, pointer.sha256)
        return pointer

    async def receive(self, expected: Pointer, chunks: AsyncIterator[bytes]) -> None:
        """Take in an upload of `expected.size` bytes, hashing what arrives.

        Raises:
            HubError: 400 when the bytes are more, fewer or others than announced; nothing is kept then.
        """
        incoming = self._new_name()
        digest, size = hashlib.sha256(), 0
        try:
            with incoming.open("wb") as file:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > expected.size:
                        break
                    if len(chunk) > 1 << 14:
                        await anyio.to_thread.run_sync(digest.update, chunk)
                    else:
                        digest.update(chunk)
                    file.write(chunk)
            if size != expected.size:
                raise bad_request(f"Upload refused: expected {expected.size} bytes, got {size}.")
            if digest.hexdigest() != expected.sha256:
                raise bad_request(
                    f"Upload refused: the bytes have sha256 {digest.hexdigest()}, not the announced one."
                )
            self._publish(incoming, expected.sha256)
        finally:
            incoming.unlink(missing_ok=True)

    def _new_name(self) -> Path:
        self.incoming.mkdir(parents=True, exist_ok=True)
        return self.incoming / uuid.uuid4().hex

    def _publish(self, incoming: Path, sha256: str) -> None:
        target = self.path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        incoming.replace(target)
