"""GET /gateways: every Gateway, how it is, and where all the readings are that it ever made."""

from datetime import datetime

from fastapi import Request, Response
from msgspec import structs
from pydantic import BaseModel

from cloud.api.deps import FleetReader, ServicesDep
from cloud.api.document import answers
from cloud.api.pagination import Limit, Offset, paged
from cloud.api.resource import Resource
from cloud.domain.times import to_datetime
from cloud.fleet.accounting import Accounting, Told
from cloud.fleet.gateways import Gateway

router = Resource(prefix="/gateways", tags=["gateways"])
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
    "ahead": 0,
}
_TOLD = {"at": "2026-01-15T10:29:58Z", "sealed": 86400, "acked": 86380, "waiting": 20, "dropped": 0}
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
    "calibrated": 12000,
    "times": 1.06,
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
    "epochs": [{"epoch": "00f3c2a1b4d5e6f7", **_ACCOUNT, "settled": 86390, "adds_up": True, "told": _TOLD}],
}


class AccountAnswer(BaseModel):
    """Readings made and where they are: made is the sum from stored to lost; lost must be 0.

    resent, conflicting: came besides; ahead: what the cloud had beyond the gateway's own count when that came; 0 too.
    """

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
    ahead: int


class ToldAnswer(BaseModel):
    """The gateway's own count of an epoch; at: when it came, null where it was kept by the broker for a time."""

    at: datetime | None
    sealed: int
    acked: int
    waiting: int
    dropped: int


class EpochAnswer(AccountAnswer):
    """The account of one run of the agent; epoch: 16 hex digits.

    settled: what the cloud knows of, from stored to dropped, at this moment; told: what the gateway said, at its own
    time, null where it never did. adds_up: whether lost and ahead are 0.
    """

    epoch: str
    settled: int
    adds_up: bool
    told: ToldAnswer | None


class StandingAnswer(BaseModel):
    """How one Device is judged, or what became of a model that it was to run, as the Gateway said.

    standing: learning, fetching, shadowing, serving, refused, rolled_back or off; reason: why it is not serving;
    agreement: of the shadow with the model that serves; over: share of rows over the threshold; calibrated: rows not
    learned from that the threshold was set anew by, and times how many deviations of before it is.
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
    calibrated: int
    times: float | None


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
    """Show one Gateway: where all the readings of each epoch are, and what the gateway itself said of it."""
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
        epochs=[_epoch(one) for one in gateway.epochs],
    )


def _account(accounting: Accounting) -> AccountAnswer:
    return AccountAnswer(**{name: getattr(accounting, name) for name in AccountAnswer.model_fields})


def _epoch(accounting: Accounting) -> EpochAnswer:
    counts = _account(accounting).model_dump()
    told = accounting.told
    own = None if told is None else ToldAnswer(at=_at(told.at_us), **_plain(told))
    return EpochAnswer(
        epoch=_hex(accounting.epoch), settled=accounting.settled, adds_up=accounting.adds_up, told=own, **counts
    )


def _plain(told: Told) -> dict[str, int]:
    return {"sealed": told.sealed, "acked": told.acked, "waiting": told.waiting, "dropped": told.dropped}


def _at(at_us: int | None) -> datetime | None:
    return None if at_us is None else to_datetime(at_us)


def _hex(epoch: int) -> str:
    return f"{epoch:016x}"
