"""Chance that follows from a seed: the same parts always give the same draw."""

from hashlib import sha256
from typing import Final

_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Capitals and digits without the pairs that are misread (I and 1, O and 0)."""


def number(*parts: object) -> int:
    """A number of 64 bits."""
    return int.from_bytes(_digest(parts)[:8], "big")


def fraction(*parts: object) -> float:
    """A number from 0 up to, not including, 1."""
    return (number(*parts) >> 11) / (1 << 53)


def name(prefix: str, *parts: object) -> str:
    """An opaque id, as `gm_2f0c9a4be1d7`."""
    return f"{prefix}_{_digest(parts).hex()[:12]}"


def room_code(*parts: object) -> str:
    """Six letters and digits that a person can read out."""
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in _digest(parts)[:6])


def _digest(parts: tuple[object, ...]) -> bytes:
    return sha256("\x1f".join(map(str, parts)).encode()).digest()
