"""Guard: who guesses passwords waits, longer with each failure, by the name that is tried and by the address.

An attempt is counted before the password is looked at and forgiven when it was right, so a thousand at once are no
better than a thousand in a row. It is all in the records: processes share it and a restart forgets nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy.orm import Session as Db

from cloud.domain.session import Attempts, Patience
from cloud.domain.user import fold
from cloud.errors import Limited
from cloud.records.sessions import keep_attempts, read_attempts


@dataclass(frozen=True, slots=True)
class Tried:
    """Who tries: the name that was typed, and where from."""

    name: str
    address: str

    @property
    def subjects(self) -> tuple[str, str]:
        """Return under which names attempts are kept: digests, since people type passwords into the wrong field."""
        return _subject("name", fold(self.name)), _subject("address", _network(self.address))


class Guard:
    """Counts attempts; every method works in the caller's transaction."""

    def __init__(self, of_names: Patience, of_addresses: Patience) -> None:
        self._patience = (of_names, of_addresses)

    def begin(self, db: Db, tried: Tried, at: datetime) -> int:
        """Count one attempt and return how many failed in a row under its name; raise Limited who has to wait."""
        known = [(subject, read_attempts(db, subject)) for subject in tried.subjects]
        pairs = zip(known, self._patience, strict=True)
        left_s = max((found.left_s(at, patience) for (_, found), patience in pairs if found is not None), default=0.0)
        if left_s > 0:
            raise Limited("too many failed attempts: wait before the next one", retry_after_s=max(1.0, left_s))
        counted = [(subject, Attempts(0, at) if found is None else found) for subject, found in known]
        for subject, found in counted:
            keep_attempts(db, subject, found.after_failure(at))
        return counted[0][1].after_failure(at).failures

    def forgive(self, db: Db, tried: Tried) -> None:
        """Forget what was tried under the name, and this one attempt of the address: the password was right."""
        by_name, by_address = tried.subjects
        keep_attempts(db, by_name, None)
        found = read_attempts(db, by_address)
        if found is not None:
            keep_attempts(db, by_address, Attempts(found.failures - 1, found.last_at) if found.failures > 1 else None)


def _subject(kind: str, text: str) -> str:
    return f"{kind}:{sha256(text.encode()).hexdigest()}"


def _network(address: str) -> str:
    """Return an address as attempts are counted: who has one of IPv6 has 2^64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else str(parsed)
