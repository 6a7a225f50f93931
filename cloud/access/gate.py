"""Gate: who calls, whatever credential was shown: an API key, or a token of somebody who logged in."""

from dataclasses import dataclass

from cloud.access.keys import Keys
from cloud.access.sessions import Sessions
from cloud.domain.api_key import MARK, Caller, Principal
from cloud.domain.role import ROLES, Role
from cloud.domain.scopes import Scope

ANONYMOUS = Principal("anonymous", ROLES[Role.OPERATOR] | {Scope.SETTINGS_WRITE})
"""Who calls without a credential where that is allowed: everything but users, keys and what else is an admin's."""


@dataclass(frozen=True, slots=True)
class KeyDoor:
    """Where API keys alone are taken."""

    keys: Keys

    def believed(self, text: str) -> Caller | None:
        """Return who calls with this key if that was found out just now; never waits."""
        principal = self.keys.believed(text)
        return None if principal is None else Caller(principal)

    def resolve(self, text: str) -> Caller:
        """Return who calls with this key; raise Unauthorized that says why not, or Unavailable."""
        return Caller(self.keys.resolve(text))


@dataclass(frozen=True, slots=True)
class Gate:
    """One door for all credentials; is_anonymous: whether one may come in without any, from this machine."""

    by_key: KeyDoor
    by_token: Sessions
    is_anonymous: bool = False

    def believed(self, text: str) -> Caller | None:
        """Return who calls with this key or token if that was found out just now; never waits."""
        return self._door(text).believed(text)

    def resolve(self, text: str) -> Caller:
        """Return who calls with this key or token; raise Unauthorized that says why not, or Unavailable."""
        return self._door(text).resolve(text)

    def _door(self, text: str) -> KeyDoor | Sessions:
        return self.by_key if text.startswith(f"{MARK}_") else self.by_token
