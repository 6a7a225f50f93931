"""GET /gateways: every Gateway, how it is, and where all the readings are that it ever made."""

from dataclasses import asdict
from datetime import datetime

from fastapi import APIRouter, Request, Response
from msgspec import structs
from pydantic import BaseModel

from cloud.api.deps import FleetReader, ServicesDep
from cloud.api.document import answers
from cloud.api.pagination import Limit, Offset, paged
from cloud.domain.times import to_datetime
from cloud.fleet.accounting import Accounting
from cloud.fleet.gateways import Gateway

router = APIRouter(prefix="/gateways", tags=["gateways"])
_ACCOUNT = {
    "made": 86400,
    "stored": 86390,
    "replaced": 0,
    "duplicates": 0,
    "quarantined": 0,
    "undecoded": 0,
    "dropped": 0,
    "buffered": 10,
    "lost": 0,
    "resent": 0,
    "conflicting": 0,
}
_STANDING = {
    "device": "pump-1",
    "name": "pump",
    "version": 3,
    "standing": "serving",
    "rollout": "rollout_5d1c0f7a9be24e10",
    "reason": "",
    "rows": 3600,
    "agreement": None,
    "over": 0.009,
    "invoke_us": 31.0,
    "alarms": 0,
    "bytes": 1344,
}
_EXAMPLE = {
    "gateway_id": "gw-1",
    "version": "0.1.0",
    "is_online": True,
    "first_seen_at": "2026-01-15T10:00:00Z",
    "last_seen_at": "2026-01-15T10:30:00Z",
    "clock_skew_s": 0.002,
    "clock_is_set": True,
    "generation": 1,
    "epoch": "00f3c2a1b4d5e6f7",
    "skipped_polls": 0,
    "alarms": [],
    "models": [_STANDING],
    "total": _ACCOUNT,
    "epochs": [{"epoch": "00f3c2a1b4d5e6f7", **_ACCOUNT}],
}


class AccountAnswer(BaseModel):
    """Readings made and where they are: made is the sum from stored to lost; lost must be 0."""

    made: int
    stored: int
    replaced: int
    duplicates: int
    quarantined: int
    undecoded: int
    dropped: int
    buffered: int
    lost: int
    resent: int
    conflicting: int


class EpochAnswer(AccountAnswer):
    """The account of one run of the agent; epoch: 16 hex digits."""

    epoch: str


class StandingAnswer(BaseModel):
    """How one Device is judged, or what became of a model that it was to run, as the Gateway said.

    standing: learning, fetching, shadowing, serving, refused, rolled_back or off; reason: why it is not serving;
    agreement: of the shadow with the model that serves; over: share of rows over the threshold.
    """

    device: str
    name: str
    version: int
    standing: str
    rollout: str
    reason: str
    rows: int
    agreement: float | None
    over: float | None
    invoke_us: float | None
    alarms: int
    bytes: int


class GatewayAnswer(BaseModel):
    """A Gateway as it last told; epochs are the newest first."""

    gateway_id: str
    version: str
    is_online: bool
    first_seen_at: datetime
    last_seen_at: datetime
    clock_skew_s: float | None
    clock_is_set: bool
    generation: int
    epoch: str | None
    skipped_polls: int
    alarms: list[str]
    models: list[StandingAnswer]
    total: AccountAnswer
    epochs: list[EpochAnswer]


@router.get("", summary="List gateways", responses=answers([_EXAMPLE], 401, 403, 422, 503))
async def list_gateways(
    request: Request,
    response: Response,
    _caller: FleetReader,
    services: ServicesDep,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> list[GatewayAnswer]:
    """All Gateways by name, each with its accounts; `X-Total-Count` says how many there are."""
    found = await services.threads.run(lambda views: views.gateways.list())
    return [_answer(gateway) for gateway in paged(found, request, response, limit=limit, offset=offset)]


@router.get("/{gateway_id}", summary="Show one gateway", responses=answers(_EXAMPLE, 401, 403, 404, 422, 503))
async def show_gateway(gateway_id: str, _caller: FleetReader, services: ServicesDep) -> GatewayAnswer:
    """Show one Gateway: made, stored, dropped, buffered, per epoch."""
    return _answer(await services.threads.run(lambda views: views.gateways.get(gateway_id)))


def _answer(gateway: Gateway) -> GatewayAnswer:
    alarms = {"identity_cloned": gateway.cloned_us is not None, "identity_conflict": gateway.conflict_us is not None}
    return GatewayAnswer(
        gateway_id=gateway.name,
        version=gateway.version,
        is_online=gateway.is_online,
        first_seen_at=to_datetime(gateway.first_seen_us),
        last_seen_at=to_datetime(gateway.last_seen_us),
        clock_skew_s=None if gateway.clock_skew_us is None else gateway.clock_skew_us / 1e6,
        clock_is_set=gateway.clock_is_set,
        generation=gateway.generation,
        epoch=None if gateway.epoch is None else _hex(gateway.epoch),
        skipped_polls=gateway.skipped_polls,
        alarms=[name for name, is_raised in alarms.items() if is_raised],
        models=[StandingAnswer(**structs.asdict(one)) for one in gateway.models],
        total=_account(gateway.total),
        epochs=[EpochAnswer(epoch=_hex(one.epoch), **_account(one).model_dump()) for one in gateway.epochs],
    )


def _account(accounting: Accounting) -> AccountAnswer:
    return AccountAnswer(**{name: value for name, value in asdict(accounting).items() if name != "epoch"})


def _hex(epoch: int) -> str:
    return f"{epoch:016x}"
