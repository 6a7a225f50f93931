"""/notifications/test: tries the mail address and the Slack channel of the settings."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from cloud.api.deps import Admin, ServicesDep
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.api.webhook_answers import ATTEMPT_EXAMPLE, AttemptAnswer, show_attempt
from cloud.domain.webhook import WebhookFormat

router = Resource(prefix="/notifications", tags=["webhooks"])


class TrialBody(BaseModel):
    """Which channel is tried."""

    model_config = ConfigDict(extra="forbid")

    channel: Literal["email", "slack"]


@router.post(
    "/test", dependencies=[limited("20/minute")], responses=answers(ATTEMPT_EXAMPLE, 400, 401, 403, 409, 422, 429, 503)
)
async def try_notification(_caller: Admin, services: ServicesDep, body: TrialBody) -> AttemptAnswer:
    """Send a test to the mail address or the Slack channel of the settings, and say how it came out."""
    channel = WebhookFormat(body.channel)
    return show_attempt(await services.errands.run(lambda _: services.webhooks.try_own(channel)))
