"""Signatures of webhooks: HMAC-SHA256 over `timestamp.body`, so that a receiver knows who sent it and when."""

from hashlib import sha256
from hmac import compare_digest
from hmac import new as keyed

SECRET_MARK = "whsec_"  # noqa: S105 - the first part of every secret, so that scanners can know one
_SCHEME = "sha256="


def secret_of(master: bytes, webhook: str, generation: int) -> str:
    """Return a webhook's secret: derived, so that no copy of the records holds one."""
    return SECRET_MARK + keyed(master, f"{webhook}.{generation}".encode(), sha256).hexdigest()


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return the text of the header that signs a body sent at these seconds since the epoch."""
    return _SCHEME + keyed(secret.encode(), b"%d.%b" % (timestamp, body), sha256).hexdigest()


def is_signed(secret: str, timestamp: int, body: bytes, signature: str) -> bool:
    """Return whether a signature is right, in a time that does not depend on how much of it is."""
    return compare_digest(sign(secret, timestamp, body).encode(), signature.encode())
