"""Dice that fall the same way on every machine and every Python version."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1


def mix(value: int) -> int:
    """Scramble a 64-bit integer (the finaliser of SplitMix64, Steele et al. 2014)."""
    value &= _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


def key_of(*parts: int | str) -> int:
    """Return one 64-bit key for integers and strings; their order matters, the process does not."""
    key = 0
    for part in parts:
        number = part if isinstance(part, int) else zlib.crc32(part.encode())
        key = mix(key + 0x9E3779B97F4A7C15 + mix(number + 1))
    return key


class Dice:
    """A SplitMix64 stream of choices.

    `random.Random` promises equal `random()` values across versions, but not equal `choice` or `shuffle`;
    here everything is integer arithmetic, so a scene drawn today is the scene drawn in ten years.

    Args:
        key: any 64-bit integer, for example from `key_of(seed, index)`.
    """

    def __init__(self, key: int) -> None:
        self._state = key & _MASK

    def below(self, n: int) -> int:
        """Return an integer from 0 to n - 1, each (almost exactly) equally likely."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        return (mix(self._state) * n) >> 64

    def choice(self, options: Sequence[T]) -> T:
        """Return one of `options`."""
        return options[self.below(len(options))]

    def chance(self, percent: int) -> bool:
        """Return True in `percent` of a hundred throws."""
        return self.below(100) < percent

    def other(self, options: Sequence[T], than: T) -> T:
        """Return one of `options` which is not `than` (which must be among them)."""
        position = self.below(len(options) - 1)
        return options[position + (position >= options.index(than))]
