"""Passwords: hashed by Argon2id, so that who steals the records cannot read them; whoever asks waits equally long."""

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_MEMORY_KIB = 19_456
_PASSES = 2
_LANES = 1


class Passwords:
    """Hashes and compares; each takes some 20 ms and 19 MiB, the least that OWASP recommends: call it in a thread."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=_PASSES, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._nobody = ""

    def hash(self, password: str) -> str:
        """Return the hash with its salt and parameters."""
        return self._hasher.hash(password)

    def matches(self, kept: str | None, password: str) -> bool:
        """Return whether the password is the one of the hash; None, nobody's, takes as long and is never it."""
        if kept is None:
            self._nobody = self._nobody or self.hash("nobody has this password")
        try:
            is_good = self._hasher.verify(kept or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return is_good and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Return whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)
