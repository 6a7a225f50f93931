"""Keys: makes, finds, checks and takes back the keys of the API.

A key that was found good is believed for a second without asking the records again, so a key that another process
revokes is refused at most that much later (see beliefs).
"""

import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from cloud.access.beliefs import Beliefs
from cloud.access.key_uses import KeyUses
from cloud.domain.api_key import ApiKey, KeyText, Principal, parse_key
from cloud.domain.audit import AuditEntry
from cloud.domain.scopes import Scope
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, NotFound, Unauthorized
from cloud.ports import Clock
from cloud.records.api_keys import add_key, find_key, find_keys, list_keys, mark_revoked, mark_rotated
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.settings import number_of


class Keys:
    """The keys of one installation; safe to use from several threads."""

    def __init__(self, records: Records, clock: Clock, draw: Callable[[int], str] = secrets.token_hex) -> None:
        """Draw gives that many random bytes in hex."""
        self._records = records
        self._clock = clock
        self._draw = draw
        self._uses = KeyUses(records)
        self._beliefs = Beliefs(clock, self._confirm)

    def create(
        self, name: str, scopes: Iterable[Scope], *, by: str, expires_at: datetime | None = None
    ) -> tuple[KeyText, ApiKey]:
        """Return a new key and its record; the text is known to nobody afterwards. Raise Unavailable."""
        text = KeyText(self._draw(4), self._draw(32))
        now = self._now()
        key = ApiKey(text.prefix, name, text.digest, frozenset(scopes), now, expires_at)
        details: dict[str, object] = {"name": name, "scopes": sorted(key.scopes)}
        with self._records.writing() as session:
            add_key(session, key)
            add_audit(session, AuditEntry(now, by, "key.create", key.prefix, details))
        return text, key

    def rotate(self, prefix: str, *, by: str) -> tuple[KeyText, ApiKey, ApiKey]:
        """Return a key in the place of another, its record, and the other one, which goes on for the overlap.

        Raise NotFound, Conflict for one that is over or was rotated before, Unavailable.
        """
        text, now = KeyText(self._draw(4), self._draw(32)), self._now()
        with self._records.writing() as session:
            old = find_key(session, prefix)
            if old is None:
                raise NotFound(f"there is no key {prefix}", code="KEY_NOT_FOUND")
            if old.is_revoked or old.is_expired(now) or old.rotated_at is not None:
                raise Conflict(f"the key {prefix} was rotated before, revoked, or has expired", code="KEY_IS_OVER")
            ends_at = now + timedelta(hours=number_of(session, "access.keyOverlapHours"))
            key = ApiKey(text.prefix, old.name, text.digest, old.scopes, now, old.expires_at, rotated_from=prefix)
            add_key(session, key)
            mark_rotated(session, prefix, now, ends_at=ends_at)
            details: dict[str, object] = {"name": old.name, "new": key.prefix, "old_ends_at": ends_at.isoformat()}
            add_audit(session, AuditEntry(now, by, "key.rotate", prefix, details))
            old = find_key(session, prefix) or old
        self._beliefs.forget()
        return text, key, old

    def get(self, prefix: str) -> ApiKey:
        """Return a key; raise NotFound, Unavailable."""
        key = self._find(prefix)
        if key is None:
            raise NotFound(f"there is no key {prefix}", code="KEY_NOT_FOUND")
        return key

    def list(self) -> list[ApiKey]:
        """Return all keys in order of creation; raise Unavailable."""
        with self._records.reading() as session:
            return list_keys(session)

    def revoke(self, prefix: str, *, by: str) -> ApiKey:
        """Take a key back; taking it back twice changes nothing. Raise NotFound, Unavailable."""
        now = self._now()
        with self._records.writing() as session:
            key = find_key(session, prefix)
            if key is None:
                raise NotFound(f"there is no key {prefix}", code="KEY_NOT_FOUND")
            if not key.is_revoked:
                mark_revoked(session, prefix, now)
                add_audit(session, AuditEntry(now, by, "key.revoke", prefix, {"name": key.name}))
                key = replace(key, revoked_at=now)
        self._beliefs.forget()
        return key

    def believed(self, text: str) -> Principal | None:
        """Return who calls with this key if that was found out just now; never waits."""
        parsed = parse_key(text)
        key = None if parsed is None else self._beliefs.held(parsed.digest)
        return None if key is None or key.is_expired(self._now()) else key.principal

    def footprint(self) -> int:
        """Return about how many bytes it takes to believe callers, without what their names and scopes share."""
        return self._beliefs.footprint()

    def resolve(self, text: str) -> Principal:
        """Return who calls with this key; raise Unauthorized that says why not, or Unavailable."""
        parsed = parse_key(text)
        if parsed is None:
            raise Unauthorized("the API key is not known", code="UNKNOWN_API_KEY")
        key = self._beliefs.learn(parsed.digest, lambda: self._find_good(parsed))
        if key.is_expired(self._now()):
            raise _expired()
        self._uses.write(self._now())
        return key.principal

    def _find_good(self, text: KeyText) -> ApiKey:
        key, now = self._find(text.prefix), self._now()
        if key is None or not key.matches(text):
            raise Unauthorized("the API key is not known", code="UNKNOWN_API_KEY")
        if key.is_revoked:
            raise Unauthorized("the API key was revoked", code="REVOKED_API_KEY")
        if key.is_expired(now):
            raise _expired()
        self._uses.note([key], now)
        return key

    def _confirm(self, shown: Mapping[str, ApiKey]) -> Mapping[str, ApiKey]:
        """Return which of these still hold, by digest, all found out together; raise Unavailable."""
        with self._records.reading() as session:
            known = find_keys(session, [key.prefix for key in shown.values()])
        now = self._now()
        good = [one for one in known if one.digest in shown and not one.is_revoked and not one.is_expired(now)]
        self._uses.note(good, now)
        return {key.digest: key for key in good}

    def _find(self, prefix: str) -> ApiKey | None:
        with self._records.reading() as session:
            return find_key(session, prefix)

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_us())


def _expired() -> Unauthorized:
    return Unauthorized("the API key has expired", code="EXPIRED_API_KEY")
