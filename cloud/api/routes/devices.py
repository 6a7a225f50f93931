"""GET /devices: every Device with its latest reading, how it stands, and how well it is."""

import msgspec
from fastapi import Request, Response

from cloud.api.deps import Reader, ServicesDep
from cloud.api.device_answers import DEVICE_EXAMPLE, DeviceAnswer, device_told
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.pagination import Limit, Offset, paged
from cloud.api.resource import Resource
from cloud.services import Views

router = Resource(prefix="/devices", tags=["devices"])
_JSON = "application/json"


@router.get(
    "",
    summary="List devices",
    dependencies=[limited("120/minute")],
    responses=answers([DEVICE_EXAMPLE], 401, 403, 422, 503),
    response_model=list[DeviceAnswer],
)
async def list_devices(
    request: Request, _caller: Reader, services: ServicesDep, limit: Limit = 1000, offset: Offset = 0
) -> Response:
    """All Devices in order of their first appearance; `X-Total-Count` says how many there are."""

    def read(views: Views) -> Response:
        answer = Response(media_type=_JSON)
        devices = services.registry.all(views.store.devices)
        chosen = paged(devices, request, answer, limit=limit, offset=offset)
        only = {(one.source, one.device_id) for one in chosen}
        seen = {(one.source, one.info.id): one for one in views.devices.list(only)}
        told = [device_told(device, seen.get((device.source, device.device_id))) for device in chosen]
        return Response(msgspec.json.encode(told), headers=_without_length(answer), media_type=_JSON)

    return await services.threads.run(read)


@router.get(
    "/{device_id}",
    summary="Show one device",
    dependencies=[limited("120/minute")],
    responses=answers(DEVICE_EXAMPLE, 401, 403, 404, 422, 503),
    response_model=DeviceAnswer,
)
async def show_device(device_id: str, _caller: Reader, services: ServicesDep) -> Response:
    """Show the latest reading of one Device, by its id or its number."""

    def read(views: Views) -> Response:
        device = services.registry.find(device_id, views.store.devices)
        told = device_told(device, views.devices.get(device.source, device.device_id))
        return Response(msgspec.json.encode(told), media_type=_JSON)

    return await services.threads.run(read)


def _without_length(answer: Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in ("content-length", "content-type")}
