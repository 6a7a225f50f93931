"""What routes ask for: the services, and a caller who holds the scope that the signature names."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from cloud.domain.api_key import Principal
from cloud.domain.scopes import SCOPES, Scope
from cloud.errors import CloudError, Forbidden, Unauthorized
from cloud.services import Services

_KEY = APIKeyHeader(name="X-API-Key", scheme_name="ApiKey", auto_error=False)
_BEARER = HTTPBearer(scheme_name="Bearer", auto_error=False)


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]


async def visitor(
    services: ServicesDep,
    key: Annotated[str | None, Security(_KEY)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Principal | None:
    """Return who calls, None without credentials; raise Unauthorized for wrong ones."""
    text = key or (bearer.credentials if bearer is not None else None)
    if not text:
        return None
    known = services.keys.believed(text)
    return known if known is not None else await services.threads.run(lambda _: services.keys.resolve(text))


async def guest(
    services: ServicesDep,
    key: Annotated[str | None, Security(_KEY)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Principal | None:
    """Return who calls, None where that cannot be found out: for pages that answer when nothing else does."""
    try:
        return await visitor(services, key, bearer)
    except CloudError:
        return None


Guest = Annotated[Principal | None, Depends(guest)]


async def caller(scopes: SecurityScopes, visitor: Annotated[Principal | None, Security(visitor)]) -> Principal:
    """Return who calls; raise Unauthorized without credentials, Forbidden without a scope that the route names."""
    if visitor is None:
        raise Unauthorized("send an API key as X-API-Key or as a bearer token", code="MISSING_API_KEY")
    for scope in map(Scope, scopes.scopes):
        if not visitor.allows(scope):
            details: dict[str, object] = {"required_scope": scope.value}
            raise Forbidden(f"this needs the scope {scope} ({SCOPES[scope]})", code="MISSING_SCOPE", details=details)
    return visitor


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
SystemReader = Annotated[Principal, Security(caller, scopes=[Scope.SYSTEM_READ])]
Admin = Annotated[Principal, Security(caller, scopes=[Scope.ADMIN])]
