"""Ids of what we make: uuid7 inside, which sorts by time; with a prefix such as `job_` where it is shown."""

from cloud.errors import NotFound

_HEX = frozenset("0123456789abcdef")
_LENGTH = 32


def new_id(now_us: int, random: str) -> str:
    """Return a uuid7 (RFC 9562) as 32 hex digits; random: at least 19 hex digits drawn for it."""
    milliseconds = (now_us // 1000) & ((1 << 48) - 1)
    variant = "89ab"[int(random[3], 16) & 3]
    return f"{milliseconds:012x}7{random[:3]}{variant}{random[4:19]}"


def shown(prefix: str, identity: str) -> str:
    """Return the id as it is shown, such as `job_0197...`."""
    return f"{prefix}_{identity}"


def parse_id(prefix: str, text: str, *, code: str) -> str:
    """Return the inner id of `job_0197...`, of the plain hex form or of a dashed uuid; raise NotFound for others."""
    plain = text.removeprefix(f"{prefix}_").replace("-", "").lower()
    if len(plain) != _LENGTH or not _HEX.issuperset(plain):
        raise NotFound(f"there is no {prefix} {text!r:.100}", code=code)
    return plain
