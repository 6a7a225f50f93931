"""/alarm-rules: limits and silences that the cloud itself watches, for devices without a gateway."""

from typing import Annotated

from fastapi import Request, Response
from pydantic import BaseModel, Field

from cloud.api.alarm_answers import Plant
from cloud.api.deps import AlarmReader, Operator, ServicesDep
from cloud.api.document import answers
from cloud.api.once import idempotent
from cloud.api.pagination import Limit, Offset, paged
from cloud.api.resource import Resource
from cloud.api.scalars import Number, Truth
from cloud.domain.alarm import Severity
from cloud.domain.alarm_rule import LONGEST_DELAY_S, MAX_NAME, AlarmRule, RuleKind
from cloud.services import Services, Views

router = Resource(prefix="/alarm-rules", tags=["alarm rules"])
_ERRORS = (401, 403, 404, 422, 503)
_EXAMPLE = {
    "id": 3,
    "name": "boiler too hot",
    "kind": "limit",
    "device_id": "DEVICE_001",
    "tag": "temperature",
    "severity": "critical",
    "high": 95.0,
    "low": None,
    "hysteresis": 2.0,
    "delay_on_s": 10.0,
    "delay_off_s": 0.0,
    "enabled": True,
}
Finite = Number
Delay = Annotated[Number, Field(ge=0, le=LONGEST_DELAY_S)]
RuleId = Annotated[int, Field(ge=1, le=1 << 31)]


class RuleBody(BaseModel):
    """A rule; a limit needs a tag and high, low or both; a silence watches one tag, or without one the device."""

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    kind: RuleKind
    device_id: str
    tag: Annotated[str, Field(max_length=200)] = ""
    severity: Severity = Severity.WARNING
    high: Finite | None = None
    low: Finite | None = None
    hysteresis: Annotated[Finite, Field(ge=0)] = 0.0
    delay_on_s: Delay = 0.0
    delay_off_s: Delay = 0.0
    enabled: Truth = True

    def rule(self, services: Services, views: Views) -> AlarmRule:
        """Return the rule, on the device of this name; raise NotFound."""
        device = services.registry.find(self.device_id, views.store.devices)
        plain = self.model_dump(exclude={"device_id", "enabled"})
        return AlarmRule(id=0, source=device.source, device=device.device_id, is_enabled=self.enabled, **plain)


class RuleAnswer(RuleBody):
    """A rule as it is kept."""

    id: int


class GoneAnswer(BaseModel):
    """That it is gone."""

    message: str


def _answer(rule: AlarmRule, plant: Plant) -> RuleAnswer:
    return RuleAnswer(
        id=rule.id,
        name=rule.name,
        kind=rule.kind,
        device_id=plant.name(rule.source, rule.device),
        tag=rule.tag,
        severity=rule.severity,
        high=rule.high,
        low=rule.low,
        hysteresis=rule.hysteresis,
        delay_on_s=rule.delay_on_s,
        delay_off_s=rule.delay_off_s,
        enabled=rule.is_enabled,
    )


@router.get("", summary="List alarm rules", responses=answers([_EXAMPLE], 401, 403, 422, 503))
async def list_alarm_rules(
    request: Request,
    response: Response,
    _caller: AlarmReader,
    services: ServicesDep,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> list[RuleAnswer]:
    """Return all rules in order of their making."""

    def read(views: Views) -> list[RuleAnswer]:
        page = paged(services.alarm_rules.list(), request, response, limit=limit, offset=offset)
        plant = Plant.seen(services, views)
        return [_answer(rule, plant) for rule in page]

    return await services.threads.run(read)


@router.post("", summary="Make an alarm rule", dependencies=[idempotent()], responses=answers(_EXAMPLE, *_ERRORS, 409))
async def make_alarm_rule(caller: Operator, services: ServicesDep, body: RuleBody) -> RuleAnswer:
    """Watch a device from now on."""

    def do(views: Views) -> RuleAnswer:
        kept = services.alarm_rules.make(body.rule(services, views), by=caller.name)
        return _answer(kept, Plant.seen(services, views))

    return await services.threads.run(do)


@router.get("/{rule_id}", summary="Show an alarm rule", responses=answers(_EXAMPLE, *_ERRORS))
async def show_alarm_rule(rule_id: RuleId, _caller: AlarmReader, services: ServicesDep) -> RuleAnswer:
    """Show one rule."""
    return await services.threads.run(
        lambda views: _answer(services.alarm_rules.get(rule_id), Plant.seen(services, views))
    )


@router.put("/{rule_id}", summary="Change an alarm rule", responses=answers(_EXAMPLE, *_ERRORS, 409))
async def change_alarm_rule(rule_id: RuleId, caller: Operator, services: ServicesDep, body: RuleBody) -> RuleAnswer:
    """Put this rule in the place of another; what it raised is cleared where it looks elsewhere."""

    def do(views: Views) -> RuleAnswer:
        kept = services.alarm_rules.change(rule_id, body.rule(services, views), by=caller.name)
        return _answer(kept, Plant.seen(services, views))

    return await services.threads.run(do)


@router.delete("/{rule_id}", summary="Delete an alarm rule", responses=answers({"message": "Rule deleted"}, *_ERRORS))
async def delete_alarm_rule(rule_id: RuleId, caller: Operator, services: ServicesDep) -> GoneAnswer:
    """Forget a rule; what it raised is cleared."""
    await services.threads.run(lambda _: services.alarm_rules.delete(rule_id, by=caller.name))
    return GoneAnswer(message="Rule deleted")
