"""/webhooks: who outside is told of what; made, changed, tried and looked at by administrators."""

from typing import Annotated

from fastapi import Query, Request, Response
from pydantic import BaseModel

from cloud.api.deps import Admin, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.once import idempotent
from cloud.api.pagination import Limit, Offset, tell_pages
from cloud.api.resource import Resource
from cloud.api.webhook_answers import (
    ATTEMPT_EXAMPLE,
    DELIVERY_EXAMPLE,
    MADE_EXAMPLE,
    WEBHOOK_EXAMPLE,
    AttemptAnswer,
    DeliveryAnswer,
    MadeAnswer,
    WebhookAnswer,
    WebhookBody,
    show_attempt,
    show_delivery,
    show_made,
    show_webhook,
)
from cloud.domain.circuit import CircuitState
from cloud.domain.delivery import DeliveryState

router = Resource(prefix="/webhooks", tags=["webhooks"])
_READ = [limited("100/minute")]
_WRITE = [limited("20/minute")]
_ERRORS = (401, 403, 404, 422, 429, 503)


class GoneAnswer(BaseModel):
    """That it is gone."""

    message: str


@router.get("", dependencies=_READ, responses=answers([WEBHOOK_EXAMPLE], 401, 403, 422, 429, 503))
async def list_webhooks(
    request: Request,
    response: Response,
    _caller: Admin,
    services: ServicesDep,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[WebhookAnswer]:
    """List webhooks in order of their making."""
    found, total = await services.threads.run(lambda _: services.webhooks.list(limit=limit, offset=offset))
    circuits = await services.threads.run(lambda _: services.webhooks.circuits())
    tell_pages(total, request, response, limit=limit, offset=offset)
    return [show_webhook(one, circuits.get(one.id, CircuitState.CLOSED)) for one in found]


@router.post(
    "",
    status_code=201,
    dependencies=[idempotent(), *_WRITE],
    responses=answers(MADE_EXAMPLE, 400, 401, 403, 409, 422, 429, 503, good=201),
)
async def make_webhook(caller: Admin, services: ServicesDep, body: WebhookBody) -> MadeAnswer:
    """Tell a target of what happens from now on; the answer is the only one that shows its secret."""
    webhook, secret = await services.threads.run(lambda _: services.webhooks.make(body.webhook(), by=caller.name))
    return show_made(webhook, secret)


@router.get("/{webhook_id}", dependencies=_READ, responses=answers(WEBHOOK_EXAMPLE, *_ERRORS))
async def get_webhook(webhook_id: str, _caller: Admin, services: ServicesDep) -> WebhookAnswer:
    """Show a webhook."""
    webhook = await services.threads.run(lambda _: services.webhooks.get(webhook_id))
    return show_webhook(webhook, await services.threads.run(lambda _: services.webhooks.circuit(webhook)))


@router.put("/{webhook_id}", dependencies=_WRITE, responses=answers(WEBHOOK_EXAMPLE, 400, *_ERRORS))
async def change_webhook(webhook_id: str, caller: Admin, services: ServicesDep, body: WebhookBody) -> WebhookAnswer:
    """Put this in the place of a webhook; its secret stays."""
    webhook = await services.threads.run(lambda _: services.webhooks.change(webhook_id, body.webhook(), by=caller.name))
    return show_webhook(webhook, await services.threads.run(lambda _: services.webhooks.circuit(webhook)))


@router.delete("/{webhook_id}", dependencies=_WRITE, responses=answers({"message": "Webhook deleted"}, *_ERRORS))
async def delete_webhook(webhook_id: str, caller: Admin, services: ServicesDep) -> GoneAnswer:
    """Forget a webhook with all that was on its way to it."""
    await services.threads.run(lambda _: services.webhooks.delete(webhook_id, by=caller.name))
    return GoneAnswer(message="Webhook deleted")


@router.post("/{webhook_id}/rotate", dependencies=_WRITE, responses=answers(MADE_EXAMPLE, *_ERRORS))
async def rotate_webhook(webhook_id: str, caller: Admin, services: ServicesDep) -> MadeAnswer:
    """Give a webhook another secret, which signs from the next attempt on."""
    webhook, secret = await services.threads.run(lambda _: services.webhooks.rotate(webhook_id, by=caller.name))
    circuit = await services.threads.run(lambda _: services.webhooks.circuit(webhook))
    return show_made(webhook, secret, circuit)


@router.post("/{webhook_id}/test", dependencies=_WRITE, responses=answers(ATTEMPT_EXAMPLE, *_ERRORS))
async def try_webhook(webhook_id: str, _caller: Admin, services: ServicesDep) -> AttemptAnswer:
    """Send a test event now, once, and say how it came out."""
    return show_attempt(await services.errands.run(lambda _: services.webhooks.try_one(webhook_id)))


@router.get("/{webhook_id}/deliveries", dependencies=_READ, responses=answers([DELIVERY_EXAMPLE], *_ERRORS))
async def list_deliveries(
    webhook_id: str,
    request: Request,
    response: Response,
    _caller: Admin,
    services: ServicesDep,
    state: Annotated[list[DeliveryState] | None, Query()] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> list[DeliveryAnswer]:
    """List what went to a webhook, the newest first, with its newest attempts."""
    found, total = await services.threads.run(
        lambda _: services.webhooks.deliveries(webhook_id, states=state or (), limit=limit, offset=offset)
    )
    tell_pages(total, request, response, limit=limit, offset=offset)
    return [show_delivery(one) for one in found]


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/redeliver",
    status_code=202,
    dependencies=_WRITE,
    responses=answers(DELIVERY_EXAMPLE, *_ERRORS, good=202),
)
async def redeliver(webhook_id: str, delivery_id: str, caller: Admin, services: ServicesDep) -> DeliveryAnswer:
    """Send an event again, under the same delivery id and with all its attempts."""
    found = await services.threads.run(lambda _: services.webhooks.redeliver(webhook_id, delivery_id, by=caller.name))
    return show_delivery(found)
