"""Users: people who log in; registers, invites, changes and forgets them, each with its audit in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.orm import Session as Db

from cloud.access.passwords import Passwords
from cloud.domain.audit import AuditEntry
from cloud.domain.role import Role
from cloud.domain.session import Ending
from cloud.domain.times import to_datetime
from cloud.domain.user import Invite, NewUser, User, digest_of, fold, issue_of_email, issue_of_name, issue_of_password
from cloud.errors import Conflict, Forbidden, Invalid, NotFound
from cloud.ports import Clock
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.sessions import end_sessions_of
from cloud.records.users import (
    add_invite,
    add_user,
    count_admins,
    count_users,
    delete_user,
    find_invite,
    find_user,
    find_user_named,
    get_invite,
    is_email_taken,
    keep_user,
    list_invites,
    list_users,
    mark_invite_revoked,
    mark_invite_used,
)

TOKEN_BYTES = 24


class Registration(StrEnum):
    """Who may register: everybody, who holds an invite, nobody."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What somebody says who registers; invite: the token of an invite or of the set-up, empty without one."""

    name: str
    email: str
    password: str
    invite: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change about a user; None: stays as it is."""

    role: Role | None = None
    email: str | None = None
    is_disabled: bool | None = None


class Users:
    """The users of one installation; blocking, and safe to use from several threads."""

    def __init__(
        self,
        records: Records,
        clock: Clock,
        *,
        passwords: Passwords,
        registration: Registration,
        draw: Callable[[int], str],
        changed: Callable[[], None],
    ) -> None:
        """Draw gives that many random bytes in hex; changed: called when tokens of a user may have ended."""
        self._records = records
        self._clock = clock
        self._passwords = passwords
        self._registration = registration
        self._draw = draw
        self._changed = changed

    def register(self, newcomer: Newcomer) -> User:
        """Return the new user; raise Invalid, Forbidden without an invite where one is needed, Conflict, Unavailable.

        The first one who holds the token that `init` wrote becomes an administrator.
        """
        _check(newcomer)
        now = self._now()
        with self._records.reading() as db:
            self._admit(db, newcomer, now)
        hashed = self._passwords.hash(newcomer.password)
        with self._records.writing() as db:
            invite = self._admit(db, newcomer, now)
            role = invite.role if invite is not None else Role.USER
            user = self._add(db, NewUser(newcomer.name, newcomer.email, hashed, role, now), by=f"user:{newcomer.name}")
            if invite is not None:
                mark_invite_used(db, invite.id, now, by=user.name)
        return user

    def create(self, newcomer: Newcomer, role: Role, *, by: str) -> User:
        """Return a user that an administrator made; raise Invalid, Conflict, Unavailable."""
        _check(newcomer)
        hashed = self._passwords.hash(newcomer.password)
        with self._records.writing() as db:
            return self._add(db, NewUser(newcomer.name, newcomer.email, hashed, role, self._now()), by=by)

    def list(self) -> Sequence[User]:
        """Return all users, in order of creation; raise Unavailable."""
        with self._records.reading() as db:
            return list_users(db)

    def get(self, user_id: int) -> User:
        """Return a user; raise NotFound, Unavailable."""
        with self._records.reading() as db:
            return _found(find_user(db, user_id), user_id)

    def named(self, name: str) -> User:
        """Return the user of this name, whatever its case; raise NotFound, Unavailable."""
        with self._records.reading() as db:
            return _found(find_user_named(db, name), name)

    def change(self, user_id: int, change: Change, *, by: str) -> User:
        """Return the user after a change, which ends its sessions; raise NotFound, Invalid, Conflict, Unavailable."""
        if change.email is not None:
            _refuse("email", issue_of_email(change.email))
        with self._records.writing() as db:
            before = _found(find_user(db, user_id), user_id)
            after = replace(
                before,
                role=change.role or before.role,
                email=before.email if change.email is None else change.email,
                is_disabled=before.is_disabled if change.is_disabled is None else change.is_disabled,
            )
            if fold(after.email) != fold(before.email) and is_email_taken(db, after.email):
                raise _taken("email", after.email)
            if after != before:
                self._keep(db, before, after, by=by, action="user.change")
        self._changed()
        return after

    def set_password(self, user_id: int, password: str, *, by: str) -> None:
        """Give a user another password, which ends its sessions; raise NotFound, Invalid, Unavailable."""
        known = self.get(user_id)
        _refuse("password", issue_of_password(password, name=known.name, email=known.email))
        hashed = self._passwords.hash(password)
        with self._records.writing() as db:
            before = _found(find_user(db, user_id), user_id)
            self._keep(db, before, replace(before, password_hash=hashed), by=by, action="user.password")
        self._changed()

    def delete(self, user_id: int, *, by: str) -> None:
        """Forget a user; raise NotFound, Conflict for the last administrator, Unavailable."""
        with self._records.writing() as db:
            user = _found(find_user(db, user_id), user_id)
            delete_user(db, user_id)
            db.flush()
            self._require_admin(db, user)
            add_audit(db, AuditEntry(self._now(), by, "user.delete", user.name, {"role": user.role.value}))
        self._changed()

    def invite(
        self, role: Role, *, by: str, email: str = "", lasts: timedelta = timedelta(days=7), is_setup: bool = False
    ) -> tuple[str, Invite]:
        """Return the token of a new invite, which is known to nobody afterwards; raise Invalid, Unavailable."""
        if email:
            _refuse("email", issue_of_email(email))
        token, now = self._draw(TOKEN_BYTES), self._now()
        new = Invite(0, digest_of(token), role, email, now, by, now + lasts, is_setup)
        with self._records.writing() as db:
            kept = add_invite(db, new)
            details: dict[str, object] = {"role": role.value, "email": email, "is_setup": is_setup}
            add_audit(db, AuditEntry(now, by, "invite.create", f"invite:{kept.id}", details))
        return token, kept

    def invites(self) -> Sequence[Invite]:
        """Return all invites, the newest first; raise Unavailable."""
        with self._records.reading() as db:
            return list_invites(db)

    def revoke_invite(self, invite_id: int, *, by: str) -> Invite:
        """Take an invite back; doing it twice, or after its use, changes nothing. Raise NotFound, Unavailable."""
        now = self._now()
        with self._records.writing() as db:
            found = get_invite(db, invite_id)
            if found is None:
                raise NotFound(f"there is no invite {invite_id}", code="INVITE_NOT_FOUND")
            if found.used_at is None and found.revoked_at is None:
                mark_invite_revoked(db, invite_id, now)
                add_audit(db, AuditEntry(now, by, "invite.revoke", f"invite:{invite_id}"))
                found = replace(found, revoked_at=now)
        return found

    def count(self) -> int:
        """Return how many users there are; raise Unavailable."""
        with self._records.reading() as db:
            return count_users(db)

    def _admit(self, db: Db, newcomer: Newcomer, now: datetime) -> Invite | None:
        """Return the invite by which somebody comes in, None where it takes none; raise Forbidden, Conflict."""
        invite = find_invite(db, digest_of(newcomer.invite)) if newcomer.invite else None
        if newcomer.invite and (invite is None or not invite.is_open(now) or not _is_for(invite, newcomer)):
            raise Forbidden("this invite is not known, was used, or has expired", code="INVITE_NOT_GOOD")
        if invite is not None and invite.is_setup:
            if count_users(db):
                raise Forbidden("the set-up token is for the first user alone", code="INVITE_NOT_GOOD")
        elif self._registration is Registration.CLOSED:
            raise Forbidden("registration is closed: an administrator makes users", code="REGISTRATION_CLOSED")
        elif invite is None and self._registration is Registration.INVITE:
            raise Forbidden("registration takes an invite: send its token as `invite`", code="INVITE_NEEDED")
        _require_free(db, newcomer.name, newcomer.email)
        return invite

    def _add(self, db: Db, new: NewUser, *, by: str) -> User:
        _require_free(db, new.name, new.email)
        user = add_user(db, new)
        add_audit(db, AuditEntry(new.created_at, by, "user.create", user.name, {"role": user.role.value}))
        return user

    def _keep(self, db: Db, before: User, after: User, *, by: str, action: str) -> None:
        now = self._now()
        keep_user(db, replace(after, session_version=before.session_version + 1))
        db.flush()
        self._require_admin(db, before)
        end_sessions_of(db, after.id, now, Ending.CHANGED)
        add_audit(db, AuditEntry(now, by, action, after.name, _difference(before, after)))

    def _require_admin(self, db: Db, before: User) -> None:
        if before.role is Role.ADMIN and not before.is_disabled and not count_admins(db):
            raise Conflict(f"{before.name} is the last administrator", code="LAST_ADMIN")

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_us())


def _difference(before: User, after: User) -> dict[str, object]:
    shown: list[tuple[str, object, object]] = [
        ("role", before.role.value, after.role.value),
        ("email", before.email, after.email),
        ("disabled", before.is_disabled, after.is_disabled),
    ]
    return {name: {"from": old, "to": new} for name, old, new in shown if old != new}


def _check(newcomer: Newcomer) -> None:
    _refuse("username", issue_of_name(newcomer.name))
    _refuse("email", issue_of_email(newcomer.email))
    _refuse("password", issue_of_password(newcomer.password, name=newcomer.name, email=newcomer.email))


def _refuse(field: str, issue: str) -> None:
    if issue:
        raise Invalid(f"{field}: {issue}", code="INVALID_PARAMETERS", details={"field": field, "issue": issue})


def _is_for(invite: Invite, newcomer: Newcomer) -> bool:
    return not invite.email or fold(invite.email) == fold(newcomer.email)


def _require_free(db: Db, name: str, email: str) -> None:
    if find_user_named(db, name) is not None:
        raise _taken("username", name)
    if is_email_taken(db, email):
        raise _taken("email", email)


def _taken(field: str, value: str) -> Conflict:
    issue = f"{value} already exists"
    return Conflict(f"{field}: {issue}", code=f"{field.upper()}_TAKEN", details={"field": field, "issue": issue})


def _found(user: User | None, asked: object) -> User:
    if user is None:
        raise NotFound(f"there is no user {asked}", code="USER_NOT_FOUND")
    return user
