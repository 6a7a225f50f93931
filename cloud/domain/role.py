"""Role: what a user may do, as a bundle of scopes; each role holds all of the one below it."""

from collections.abc import Mapping
from enum import StrEnum

from cloud.domain.scopes import Scope


class Role(StrEnum):
    """From the one who looks to the one who may do everything."""

    VIEWER = "viewer"
    USER = "user"
    OPERATOR = "operator"
    ADMIN = "admin"

    @property
    def scopes(self) -> frozenset[Scope]:
        """Return what it may do."""
        return ROLES[self]


_VIEWER = frozenset(
    {
        Scope.DATA_READ,
        Scope.GATEWAYS_READ,
        Scope.MODELS_READ,
        Scope.ALARMS_READ,
        Scope.LEARNING_READ,
        Scope.SYSTEM_READ,
    }
)
_USER = _VIEWER | {
    Scope.DATA_INGEST,
    Scope.REPORTS_GENERATE,
    Scope.TASKS_UPDATE,
    Scope.ML_PREDICT,
    Scope.ML_ANOMALY,
    Scope.ML_DRIFT,
    Scope.ALARMS_WRITE,
    Scope.LEARNING_WRITE,
    Scope.MODELS_WRITE,
    Scope.EVENTS_WRITE,
}
ROLES: Mapping[Role, frozenset[Scope]] = {
    Role.VIEWER: _VIEWER,
    Role.USER: _USER,
    Role.OPERATOR: _USER | {Scope.DEVICES_WRITE},
    Role.ADMIN: frozenset(Scope),
}
"""`user` may do what the API's documents do not keep for administrators; `operator` may set up devices besides."""


def role_of(scopes: frozenset[Scope]) -> Role | None:
    """Return the highest role all of whose scopes are among these, None where there is none."""
    if Scope.ADMIN in scopes:
        return Role.ADMIN
    return next((role for role in reversed(Role) if ROLES[role] <= scopes), None)
