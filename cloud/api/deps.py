"""What routes ask for: the services, and a caller who holds the scope that the signature names."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.openapi.models import APIKey
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from cloud.access.gate import ANONYMOUS
from cloud.api.backing import backing_of
from cloud.api.credentials import ACCESS_COOKIE, comes_from_here, require_csrf, who_shows
from cloud.api.document import KEY_HEADER, KEY_SCHEME
from cloud.domain.api_key import Principal
from cloud.domain.scopes import SCOPES, Scope
from cloud.errors import CloudError, Forbidden, Unauthorized
from cloud.services import Services

_ASKS = "lineside.asks"


class _Credential(SecurityBase):
    """What a route takes for a credential, for its document, which `document.complete` goes on from."""

    def __init__(self) -> None:
        self.model = APIKey.model_validate({"in": "header", "name": KEY_HEADER})
        self.scheme_name = KEY_SCHEME

    async def __call__(self) -> None:
        """Do nothing: what is shown is read where it is needed, by whichever of three ways it comes."""


_CREDENTIAL = Security(_Credential())


async def _services(request: Request) -> Services:
    return backing_of(request).services


ServicesDep = Annotated[Services, Depends(_services)]


async def visitor(request: Request, _shown: Annotated[None, _CREDENTIAL]) -> Principal | None:
    """Return who calls: by X-API-Key, else by bearer token, else by cookie, else anonymous where that is allowed.

    None without credentials; raise Unauthorized for wrong ones, Forbidden for a change by cookie without CSRF token.
    """
    return await _who_asks(request)


async def guest(request: Request, _shown: Annotated[None, _CREDENTIAL]) -> Principal | None:
    """Return who calls, None where that cannot be found out: for pages that answer when nothing else does."""
    try:
        return await _who_asks(request)
    except CloudError:
        return None


Guest = Annotated[Principal | None, Depends(guest)]


async def caller(scopes: SecurityScopes, request: Request, _shown: Annotated[None, _CREDENTIAL] = None) -> Principal:
    """Return who calls; raise Unauthorized without credentials, Forbidden without a scope that the route names."""
    found = await _who_asks(request)
    if found is None:
        told = "send an API key as X-API-Key, a bearer token, or the cookie of who logged in"
        raise Unauthorized(told, code="MISSING_API_KEY")
    for scope in map(Scope, scopes.scopes):
        if not found.allows(scope):
            details: dict[str, object] = {"required_scope": scope.value}
            raise Forbidden(f"this needs the scope {scope} ({SCOPES[scope]})", code="MISSING_SCOPE", details=details)
    return found


async def _who_asks(request: Request) -> Principal | None:
    """Return who calls, found out once a request; raise Unauthorized, Forbidden, Unavailable."""
    if _ASKS not in request.scope:
        try:
            request.scope[_ASKS] = await _look_up(request)
        except CloudError as error:
            request.scope[_ASKS] = error
    found: Principal | CloudError | None = request.scope[_ASKS]
    if isinstance(found, CloudError):
        raise found
    return found


async def _look_up(request: Request) -> Principal | None:
    services = backing_of(request).services
    key, (kind, _, token) = request.headers.get(KEY_HEADER), request.headers.get("authorization", "").partition(" ")
    if key:
        return (await who_shows(services, services.gate.by_key, key)).principal
    if kind.lower() == "bearer" and token.strip():
        return (await who_shows(services, services.gate, token.strip())).principal
    cookie = request.cookies.get(ACCESS_COOKIE)
    if cookie:
        found = await who_shows(services, services.sessions, cookie)
        require_csrf(request, found)
        return found.principal
    return ANONYMOUS if services.gate.is_anonymous and comes_from_here(request) else None


async def logged_in(caller: Annotated[Principal, Security(caller)]) -> Principal:
    """Return the user who calls; raise Forbidden for keys and for who did not log in."""
    if caller.user_id is None:
        raise Forbidden("only somebody who logged in may do this", code="NOT_A_USER")
    return caller


AnyCaller = Annotated[Principal, Security(caller)]
"""Whoever has a credential, whatever it opens."""
Session = Annotated[Principal, Security(logged_in)]
Sender = Annotated[Principal, Security(caller, scopes=[Scope.DATA_INGEST])]
Reader = Annotated[Principal, Security(caller, scopes=[Scope.DATA_READ])]
ModelReader = Annotated[Principal, Security(caller, scopes=[Scope.MODELS_READ])]
ModelWriter = Annotated[Principal, Security(caller, scopes=[Scope.MODELS_WRITE])]
FleetReader = Annotated[Principal, Security(caller, scopes=[Scope.GATEWAYS_READ])]
AlarmReader = Annotated[Principal, Security(caller, scopes=[Scope.ALARMS_READ])]
DriftChecker = Annotated[Principal, Security(caller, scopes=[Scope.ML_DRIFT])]
Predictor = Annotated[Principal, Security(caller, scopes=[Scope.ML_PREDICT])]
Operator = Annotated[Principal, Security(caller, scopes=[Scope.ALARMS_WRITE])]
LearningReader = Annotated[Principal, Security(caller, scopes=[Scope.LEARNING_READ])]
LearningWriter = Annotated[Principal, Security(caller, scopes=[Scope.LEARNING_WRITE])]
Reporter = Annotated[Principal, Security(caller, scopes=[Scope.REPORTS_GENERATE])]
Decider = Annotated[Principal, Security(caller, scopes=[Scope.TASKS_UPDATE])]
AnomalyFinder = Annotated[Principal, Security(caller, scopes=[Scope.ML_ANOMALY])]
DeviceWriter = Annotated[Principal, Security(caller, scopes=[Scope.DEVICES_WRITE])]
EventWriter = Annotated[Principal, Security(caller, scopes=[Scope.EVENTS_WRITE])]
SettingsWriter = Annotated[Principal, Security(caller, scopes=[Scope.SETTINGS_WRITE])]
SystemReader = Annotated[Principal, Security(caller, scopes=[Scope.SYSTEM_READ])]
Admin = Annotated[Principal, Security(caller, scopes=[Scope.ADMIN])]
