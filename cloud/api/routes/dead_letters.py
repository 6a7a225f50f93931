"""/admin/dlq: events that reached nobody; sent again or dropped by administrators."""

from fastapi import Request, Response
from pydantic import BaseModel

from cloud.api.deps import Admin, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.pagination import Limit, Offset, tell_pages
from cloud.api.resource import Resource
from cloud.api.webhook_answers import (
    DELIVERY_EXAMPLE,
    LETTER_EXAMPLE,
    DeliveryAnswer,
    LetterAnswer,
    show_delivery,
    show_letter,
)

router = Resource(prefix="/admin/dlq", tags=["webhooks"])
_ERRORS = (401, 403, 404, 422, 429, 503)


class DroppedAnswer(BaseModel):
    """That it is gone."""

    message: str


@router.get("", dependencies=[limited("100/minute")], responses=answers([LETTER_EXAMPLE], 401, 403, 422, 429, 503))
async def list_dead_letters(
    request: Request,
    response: Response,
    _caller: Admin,
    services: ServicesDep,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[LetterAnswer]:
    """List events that no attempt brought to their target, the newest first."""
    found, total = await services.threads.run(lambda _: services.webhooks.dead_letters(limit=limit, offset=offset))
    tell_pages(total, request, response, limit=limit, offset=offset)
    return [show_letter(one) for one in found]


@router.post(
    "/{letter_id}/replay",
    status_code=202,
    dependencies=[limited("20/minute")],
    responses=answers(DELIVERY_EXAMPLE, 409, *_ERRORS, good=202),
)
async def replay_dead_letter(letter_id: str, caller: Admin, services: ServicesDep) -> DeliveryAnswer:
    """Send a dead letter again, under the same delivery id and with all its attempts."""
    return show_delivery(await services.threads.run(lambda _: services.webhooks.replay(letter_id, by=caller.name)))


@router.delete(
    "/{letter_id}",
    dependencies=[limited("20/minute")],
    responses=answers({"message": "Dead letter dropped"}, *_ERRORS),
)
async def drop_dead_letter(letter_id: str, caller: Admin, services: ServicesDep) -> DroppedAnswer:
    """Forget a dead letter."""
    await services.threads.run(lambda _: services.webhooks.drop(letter_id, by=caller.name))
    return DroppedAnswer(message="Dead letter dropped")
