"""How files are named: by us alone, never by what somebody sent; `kind/number-sha256`."""

import re

from cloud.errors import Invalid, NotFound

_KIND = re.compile(r"[a-z][a-z0-9-]{0,30}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}/[0-9a-f]{16}-(?P<sha256>[0-9a-f]{64})")


def check_kind(kind: str) -> str:
    """Return the kind; raise Invalid where it could be anything but a folder of ours."""
    if _KIND.fullmatch(kind) is None:
        raise Invalid(f"kind {kind!r}: must be lower-case letters, digits and dashes", code="INVALID_FILE_KIND")
    return kind


def name_of(kind: str, number: str, digest: str) -> str:
    """Return the name of a file; number: 16 hex digits drawn for it, so that equal contents are two files."""
    return f"{kind}/{number}-{digest}"


def sha256_of(name: str) -> str:
    """Return the digest that a name holds; raise NotFound for a name that is none of ours."""
    match = _NAME.fullmatch(name)
    if match is None:
        raise NotFound(f"there is no file {name!r:.200}", code="FILE_NOT_FOUND")
    return match["sha256"]
