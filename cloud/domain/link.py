"""Link: a path that opens for whoever holds it, until a time; signed with HMAC-SHA256, so that nobody makes one up."""

import hmac
from hashlib import sha256

LIFE_S = 24 * 3600


def signature_of(secret: bytes, path: str, expires_s: int) -> str:
    """Return 64 hex digits that only we can make of a path and its last second."""
    return hmac.new(secret, f"{path}\n{expires_s}".encode(), sha256).hexdigest()


def signed(secret: bytes, path: str, *, now_s: int, life_s: int = LIFE_S) -> str:
    """Return the path with what opens it."""
    expires_s = now_s + life_s
    return f"{path}?expires={expires_s}&signature={signature_of(secret, path, expires_s)}"


def opens(secret: bytes, path: str, *, expires_s: int, signature: str, now_s: int) -> bool:
    """Return whether a signature is ours, for this path, and not over."""
    wanted = signature_of(secret, path, expires_s).encode()
    return hmac.compare_digest(wanted, signature.encode()) and now_s < expires_s
