"""Sessions: log-ins from the password to the last token, and who calls with a token.

A session is a chain of refresh tokens, each good once. One that was exchanged is taken again for 30 s, since two tabs
may ask at the same time; after that it was stolen, and the whole session ends. What was found out about an access
token is believed for a second, so that a change of its user or session holds everywhere within a second.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hmac import compare_digest

from sqlalchemy.orm import Session as Db

from cloud.access.beliefs import Beliefs
from cloud.access.guard import Guard, Tried
from cloud.access.passwords import Passwords
from cloud.access.tokens import Claims, TokenKind, Tokens
from cloud.domain.api_key import Caller
from cloud.domain.audit import AuditEntry
from cloud.domain.identity import new_id
from cloud.domain.session import Ending, RefreshToken, Session
from cloud.domain.times import to_datetime
from cloud.domain.user import User
from cloud.errors import CloudError, Invalid, Unauthorized
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.sessions import (
    add_refresh_token,
    add_session,
    end_session,
    find_refresh_token,
    find_session,
    find_sessions,
    mark_token_rotated,
)
from cloud.records.users import find_user, find_user_named, find_users, keep_user


@dataclass(frozen=True, slots=True)
class Lives:
    """How long things last: an access token of a session, one that was asked for by form, a session."""

    access: timedelta = timedelta(minutes=10)
    token: timedelta = timedelta(minutes=60)
    session: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody gets who has logged in; refresh: empty for a token that cannot be renewed."""

    user: User
    access: str
    access_csrf: str
    access_ends_at: datetime
    refresh: str = ""
    refresh_csrf: str = ""
    session_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Shown:
    claims: Claims
    caller: Caller


class Sessions:
    """Log-ins of one installation; blocking, and safe to use from several threads."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        *,
        tokens: Tokens,
        passwords: Passwords,
        guard: Guard,
        lives: Lives,
        draw: Callable[[int], str],
    ) -> None:
        """Draw gives that many random bytes in hex."""
        self._records = records
        self._clock = clock
        self._tokens = tokens
        self._passwords = passwords
        self._guard = guard
        self._lives = lives
        self._draw = draw
        self._beliefs = Beliefs(clock, self._confirm)

    def log_in(self, name: str, password: str, *, address: str, is_renewable: bool = True) -> Given:
        """Return tokens of a new session; raise Unauthorized, Limited who has to wait, Unavailable."""
        user = self.authenticate(name, password, address=address)
        now = self._now()
        life = self._lives.session if is_renewable else self._lives.token
        session = Session(self._new_id(), user.id, now, now + life, address)
        with self._records.writing() as db:
            add_session(db, session)
            refresh = RefreshToken(self._new_id(), session.id, now) if is_renewable else None
            if refresh is not None:
                add_refresh_token(db, refresh)
            add_audit(db, AuditEntry(now, user.principal.name, "session.start", user.name, {"address": address}))
        return self._given(user, session, refresh)

    def authenticate(self, name: str, password: str, *, address: str) -> User:
        """Return whose password this is; raise Unauthorized, Limited who has to wait, Unavailable."""
        tried = Tried(name, address)
        with self._records.writing() as db:
            failures = self._guard.begin(db, tried, self._now())
            user = find_user_named(db, name)
        is_good = self._passwords.matches(user.password_hash if user else None, password)
        with self._records.writing() as db:
            known = self._unchanged(db, user) if is_good else None
            if known is None:
                self._note_refusal(db, user, address, failures)
            else:
                self._guard.forgive(db, tried)
                known = self._note_login(db, known, password)
        if known is None:
            raise Unauthorized("name or password is wrong", code="INVALID_CREDENTIALS")
        return known

    def refresh(self, text: str, *, csrf: str | None) -> Given:
        """Return new tokens for a refresh token; csrf: what the page sent, None where that is not asked for.

        Raise Unauthorized, Invalid where csrf is wrong, Unavailable.
        """
        claims = self._tokens.read(text, TokenKind.REFRESH)
        if csrf is not None and not compare_digest(csrf.encode(), claims.csrf.encode()):
            raise Invalid("the CSRF token is missing or wrong: send csrf_refresh_token as X-CSRF-TOKEN", code="CSRF")
        now = self._now()
        with self._records.writing() as db:
            used = find_refresh_token(db, claims.id)
            user, session = self._of(db, claims, now)
            if used is not None and session is not None and used.is_replayed(now):
                self._end(db, session.id, user, Ending.REPLAY)
                session = None
            following = RefreshToken(self._new_id(), claims.session_id, now)
            if used is not None and session is not None:
                mark_token_rotated(db, used.id, now)
                add_refresh_token(db, following)
        if used is None or user is None or session is None:
            self.forget_believed()
            raise Unauthorized("the session is over: log in again", code="SESSION_OVER")
        return self._given(user, session, following)

    def log_out(self, *texts: str) -> None:
        """End the sessions of these tokens, of whichever kind; those that are no good are passed over."""
        for text in filter(None, texts):
            claims = self._read_any(text, *TokenKind)
            if claims is None:
                continue
            with self._records.writing() as db:
                user = find_user(db, claims.user_id)
                self._end(db, claims.session_id, user, Ending.LOGOUT)
        self.forget_believed()

    def believed(self, text: str) -> Caller | None:
        """Return who calls with this access token if that was found out just now; never waits."""
        found = self._beliefs.held(text)
        return None if found is None or found.claims.expires_at <= self._now() else found.caller

    def footprint(self) -> int:
        """Return about how many bytes it takes to believe callers, without what their names and scopes share."""
        return self._beliefs.footprint()

    def resolve(self, text: str) -> Caller:
        """Return who calls with this access token; raise Unauthorized that says why not, or Unavailable."""
        claims = self._tokens.read(text, TokenKind.ACCESS)
        return self._beliefs.learn(text, lambda: self._find(claims)).caller

    def forget_believed(self) -> None:
        """Look everybody up anew: something changed in this process."""
        self._beliefs.forget()

    def _find(self, claims: Claims) -> _Shown:
        with self._records.reading() as db:
            user, session = self._of(db, claims, self._now())
        if user is None or session is None:
            raise Unauthorized("the session is over: log in again", code="SESSION_OVER")
        return _shown(claims, user, session)

    def _confirm(self, shown: Mapping[str, _Shown]) -> Mapping[str, _Shown]:
        """Return which of these tokens still hold, all found out together; raise Unavailable."""
        read = {text: self._read_any(text, TokenKind.ACCESS) for text in shown}
        claims = {text: one for text, one in read.items() if one is not None}
        with self._records.reading() as db:
            users = find_users(db, {one.user_id for one in claims.values()})
            sessions = find_sessions(db, {one.session_id for one in claims.values()})
        now, found = self._now(), dict[str, _Shown]()
        for text, one in claims.items():
            user, session = _of_whom(one, users.get(one.user_id), sessions.get(one.session_id), now)
            if user is not None and session is not None:
                found[text] = _shown(one, user, session)
        return found

    def _of(self, db: Db, claims: Claims, now: datetime) -> tuple[User | None, Session | None]:
        return _of_whom(claims, find_user(db, claims.user_id), find_session(db, claims.session_id), now)

    def _given(self, user: User, session: Session, refresh: RefreshToken | None) -> Given:
        life = self._lives.access if refresh is not None else self._lives.token
        ends_at = min(self._now() + life, session.expires_at)
        access = self._claims(user, session, TokenKind.ACCESS, self._new_id(), ends_at)
        given = Given(user, self._tokens.write(access), access.csrf, ends_at)
        if refresh is None:
            return given
        claims = self._claims(user, session, TokenKind.REFRESH, refresh.id, session.expires_at)
        text = self._tokens.write(claims)
        return replace(given, refresh=text, refresh_csrf=claims.csrf, session_ends_at=session.expires_at)

    def _claims(self, user: User, session: Session, kind: TokenKind, token_id: str, ends_at: datetime) -> Claims:
        return Claims(kind, token_id, user.id, user.session_version, session.id, self._draw(16), ends_at)

    def _unchanged(self, db: Db, user: User | None) -> User | None:
        """Return the user as it is now, None where it may not log in, or not with the password that was compared."""
        now = find_user(db, user.id) if user is not None else None
        is_same = now is not None and user is not None and now.password_hash == user.password_hash
        return now if now is not None and is_same and not now.is_disabled else None

    def _note_login(self, db: Db, user: User, password: str) -> User:
        kept = user.password_hash
        if self._passwords.is_outdated(kept):
            kept = self._passwords.hash(password)
        changed = replace(user, last_login_at=self._now(), password_hash=kept)
        keep_user(db, changed)
        return changed

    def _note_refusal(self, db: Db, user: User | None, address: str, failures: int) -> None:
        # What was typed as a name may be a password: only names that exist are written down.
        subject = user.name if user is not None else "unknown"
        details: dict[str, object] = {"address": address, "failures": failures}
        add_audit(db, AuditEntry(self._now(), "anonymous", "session.refuse", subject, details))

    def _end(self, db: Db, session_id: str, user: User | None, because: Ending) -> None:
        if end_session(db, session_id, self._now(), because):
            actor = user.principal.name if user is not None else "unknown"
            subject = user.name if user is not None else session_id
            add_audit(db, AuditEntry(self._now(), actor, "session.end", subject, {"because": because.value}))

    def _read_any(self, text: str, *kinds: TokenKind) -> Claims | None:
        for kind in kinds:
            try:
                return self._tokens.read(text, kind)
            except CloudError:
                continue
        return None

    def _new_id(self) -> str:
        return new_id(self._clock.now_us(), self._draw(16))

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_us())


def _of_whom(
    claims: Claims, user: User | None, session: Session | None, now: datetime
) -> tuple[User | None, Session | None]:
    """Return the user that claims name where it may call, and the session where that is open."""
    if user is None or user.is_disabled or user.session_version != claims.user_version:
        return None, None
    is_good = session is not None and session.is_open(now) and session.user_id == user.id
    return user, session if is_good else None


def _shown(claims: Claims, user: User, session: Session) -> _Shown:
    return _Shown(claims, Caller(replace(user.principal, session_id=session.id), claims.csrf))
