"""POST /alerts/bulk: one thing done with many alarms, all of them or as many as can be."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloud.api.alarm_answers import ALARM_EXAMPLE, AlarmAnswer, Plant
from cloud.api.deps import Operator, ServicesDep
from cloud.api.document import answers
from cloud.api.resource import Resource
from cloud.api.scalars import Number, Truth
from cloud.domain.alarm import LEAST_SHELF_S, LONGEST_SHELF_S, Seen
from cloud.domain.alarm_change import (
    MAX_COMMENT,
    MAX_NAME,
    AlarmChange,
    acknowledging,
    assigning,
    clearing,
    removing,
    returning,
    shelving,
    unshelving,
)
from cloud.operations.alarms import MAX_AT_ONCE, ItemResult
from cloud.services import Views

router = Resource(prefix="/alerts", tags=["alerts"])
Action = Literal["acknowledge", "shelve", "unshelve", "clear", "assign", "out_of_service", "return_to_service"]
_EXAMPLE: dict[str, Any] = {
    "changed": 1,
    "refused": 1,
    "results": [
        {"id": ALARM_EXAMPLE["id"], "ok": True, "alert": ALARM_EXAMPLE, "code": None, "error": None},
        {"id": "x", "ok": False, "alert": None, "code": "ALARM_NOT_FOUND", "error": "there is no alarm 'x'"},
    ],
}


class Bulk(BaseModel):
    """What to do with which alarms; partial: change what can be changed, else all or none.

    for_s, one_shot: of shelving; to: of assigning, empty: nobody; comment: of what has one.
    """

    model_config = ConfigDict(extra="forbid")

    action: Action
    ids: Annotated[list[Annotated[str, Field(max_length=100)]], Field(min_length=1, max_length=MAX_AT_ONCE)]
    partial: Truth = False
    comment: Annotated[str, Field(max_length=MAX_COMMENT)] = ""
    for_s: Annotated[Number, Field(ge=LEAST_SHELF_S, le=LONGEST_SHELF_S)] | None = None
    one_shot: Truth = False
    to: Annotated[str, Field(max_length=MAX_NAME)] | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.action == "shelve" and self.for_s is None:
            raise ValueError("for_s: shelving needs a time")
        if self.action == "assign" and self.to is None:
            raise ValueError("to: assigning needs a name, empty for nobody")
        return self

    def change(self, by: str, now_us: int) -> AlarmChange:
        """Return what it asks for."""
        seen, why = Seen(by, now_us), Seen(by, now_us, self.comment)
        changes: Mapping[Action, Callable[[], AlarmChange]] = {
            "acknowledge": lambda: acknowledging(seen, self.comment),
            "clear": lambda: clearing(seen, self.comment),
            "shelve": lambda: shelving(why, for_s=self.for_s or LEAST_SHELF_S, is_one_shot=self.one_shot),
            "unshelve": lambda: unshelving(by),
            "assign": lambda: assigning(by, self.to or ""),
            "out_of_service": lambda: removing(why),
            "return_to_service": lambda: returning(by),
        }
        return changes[self.action]()


class Item(BaseModel):
    """How it went with one of them."""

    id: str
    ok: bool
    alert: AlarmAnswer | None
    code: str | None
    error: str | None


class BulkResults(BaseModel):
    """How it went with each."""

    changed: int
    refused: int
    results: list[Item]


@router.post("/bulk", summary="Change many alerts", responses=answers(_EXAMPLE, 400, 401, 403, 404, 409, 422, 503))
async def change_alerts(body: Bulk, caller: Operator, services: ServicesDep) -> BulkResults:
    """Acknowledge, shelve, clear, assign many: all or none; with `partial` what can be, and why the rest was not."""
    change = body.change(caller.name, services.clock.now_us())

    def do(views: Views) -> BulkResults:
        if body.partial:
            results = services.alarms.change_each(body.ids, change)
        else:
            results = [ItemResult(one.id, one) for one in services.alarms.change_all(body.ids, change)]
        plant = Plant.seen(services, views)
        items = [_item(one, plant) for one in results]
        changed = sum(one.ok for one in items)
        return BulkResults(changed=changed, refused=len(items) - changed, results=items)

    return await services.threads.run(do)


def _item(result: ItemResult, plant: Plant) -> Item:
    refusal = result.refusal
    return Item(
        id=result.id,
        ok=result.alarm is not None,
        alert=None if result.alarm is None else plant.shown(result.alarm),
        code=None if refusal is None else refusal.code,
        error=None if refusal is None else str(refusal),
    )
