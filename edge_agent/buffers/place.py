"""Where a buffer lies and whose it is, and the epochs it writes under."""

import secrets
from dataclasses import dataclass
from pathlib import Path


def draw_epoch() -> int:
    """Return 63 random bits that are not all zero."""
    return secrets.randbits(63) or draw_epoch()


@dataclass(frozen=True, slots=True)
class BufferPlace:
    """Where the buffer lies, whose it is, and how large it may become."""

    path: Path
    gateway: str
    max_bytes: int
