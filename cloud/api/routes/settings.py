"""GET, PUT /settings: what administrators change while the cloud runs."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Body
from pydantic import BaseModel, StrictBool, StrictFloat, StrictInt, StrictStr

from cloud.api.deps import ServicesDep, SettingsWriter, SystemReader
from cloud.api.document import answers
from cloud.api.resource import Resource
from cloud.domain.setting import SETTINGS

router = Resource(prefix="/settings", tags=["settings"])
_SECTIONS = {
    "general": {"appName": "Lineside", "theme": "light", "timezone": "UTC"},
    "training": {"defaultTimeout": 300, "defaultModelType": "auto", "autoSaveModels": True},
    "notifications": {"emailEnabled": False, "slackEnabled": False},
    "data": {"autoCleanup": True, "retentionDays": 30},
}
_UPDATED = {"message": "Settings updated successfully", "updated_fields": ["training.defaultTimeout"]}
_KNOWN = {
    "key": "training.defaultTimeout",
    "default": 300,
    "description": "Seconds that a training may run.",
    "choices": [],
    "low": 1.0,
    "high": 604800.0,
    "is_secret": False,
}
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr


class Updated(BaseModel):
    """Which settings were sent and hold now, dotted."""

    message: str
    updated_fields: list[str]


class Known(BaseModel):
    """One setting that means something to the cloud; its kind is its default's."""

    key: str
    default: Scalar
    description: str
    choices: list[str]
    low: float | None
    high: float | None
    is_secret: bool


@router.get("", responses=answers(_SECTIONS, 401, 403, 503))
async def get_settings(_caller: SystemReader, services: ServicesDep) -> dict[str, dict[str, Scalar]]:
    """Show all settings by section; secrets are not shown."""
    sections = await services.threads.run(lambda _: services.settings.read())
    return {section: dict(values) for section, values in sections.items()}


@router.put("", responses=answers(_UPDATED, 401, 403, 422, 503))
async def change_settings(
    body: Annotated[
        dict[str, dict[str, Scalar]], Body(examples=[{"training": {"defaultTimeout": 600}}], max_length=64)
    ],
    caller: SettingsWriter,
    services: ServicesDep,
) -> Updated:
    """Change the settings that are sent, all or none; the others stay. A section may hold keys of your own."""
    fields = await services.threads.run(lambda _: services.settings.change(body, by=caller.name))
    return Updated(message="Settings updated successfully", updated_fields=list(fields))


@router.get("/known", responses=answers([_KNOWN], 401, 403, 503))
async def list_known_settings(_caller: SystemReader) -> Sequence[Known]:
    """List the settings that mean something to the cloud, with defaults and bounds."""
    return [
        Known(
            key=one.key,
            default=one.default,
            description=one.description,
            choices=list(one.choices),
            low=one.low,
            high=one.high,
            is_secret=one.is_secret,
        )
        for one in SETTINGS.values()
    ]
