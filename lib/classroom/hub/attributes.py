"""Which files are kept as large files: what `.gitattributes` says, and everything over 10 MB."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import lru_cache

from dulwich.attrs import Pattern, compile_gitattributes_patterns, match_path, parse_git_attributes

LARGEST_SMALL_FILE = 10_000_000
"""Bytes; a longer file is always kept as a large file."""

_LARGE_SUFFIXES = (
    "7z arrow bin bz2 ckpt flac ftz gif gz h5 jpeg jpg joblib mlmodel model mp3 mp4 msgpack npy npz "
    "ogg onnx ot parquet pb pickle pkl png pt pth rar safetensors spm tar tflite tgz wasm wav webp xz "
    "zip zst "
)


def default_attributes() -> bytes:
    """The `.gitattributes` that a new repository begins with."""
    lines = [f"*.{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in _LARGE_SUFFIXES.split()]
    return "".join([*lines, "*tfevents* filter=lfs diff=lfs merge=lfs -text\n"]).encode()


def is_large(path: str, size: int, attributes: bytes) -> bool:
    """Whether a file of `size` bytes at `path` belongs into the object folder, by `.gitattributes`' text."""
    if size > LARGEST_SMALL_FILE:
        return True
    return size > 0 and match_path(_rules(attributes), path.encode()).get(b"filter") == b"lfs"


@lru_cache(maxsize=64)
def _rules(attributes: bytes) -> list[tuple[Pattern, Mapping[bytes, bytes | bool | None]]]:
    return compile_gitattributes_patterns(parse_git_attributes(io.BytesIO(attributes)))
