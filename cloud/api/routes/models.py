"""/models: what was learned, which version serves, and where it runs; publish and deploy."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import Body, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.deps import ModelReader, ModelWriter, ServicesDep
from cloud.api.document import answers
from cloud.api.frame import V1_PREFIX
from cloud.api.limits import limited
from cloud.api.model_answers import (
    ITEM_EXAMPLE,
    MODEL_EXAMPLE,
    VERSION_EXAMPLE,
    ModelAnswer,
    ModelItem,
    VersionAnswer,
    model_answer,
    model_item,
    version_answer,
)
from cloud.api.pagination import tell_pages
from cloud.api.resource import Resource
from cloud.api.scalars import WHOLE, Number
from cloud.domain.model import CHAMPION, Model, ModelVersion, Stage
from cloud.domain.rollout import Rules
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Failed, Unavailable
from cloud.fleet.rollouts import Whereto
from cloud.fleet.standings import running
from cloud.services import Services, Views

router = Resource(prefix="/models", tags=["models"])
_ERRORS = (401, 403, 404, 409, 422, 503)
_MOST = 10_000
_DEPLOYED = {"model_id": "model_5d1c0f7a9be24e10", "status": "deployed", "deployment_time": "2026-01-15T10:30:00Z"}
_DEPLOYED |= {"endpoint": "/api/predict/model_5d1c0f7a9be24e10"}


class Wanted(StrEnum):
    """Which models are asked for; `active` and `deployed` are one."""

    TRAINED = "trained"
    DEPLOYED = "deployed"
    ACTIVE = "active"
    ARCHIVED = "archived"
    ALL = "all"


class Sort(StrEnum):
    """In which order: newest first, best first, or by name."""

    CREATED_AT = "created_at"
    ACCURACY = "accuracy"
    NAME = "name"


class Target(StrEnum):
    """Where a model shall serve: predictions of the API, or gateways."""

    CLOUD = "cloud"
    EDGE = "edge"


class ModelsAnswer(BaseModel):
    """Models and how many there are; page and limit say which of them these are."""

    models: list[ModelItem]
    total: int
    page: int
    limit: int


class Choice(BaseModel):
    """Which version; absent: the champion, else the newest."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1), WHOLE] | None = None


class Deployment(Choice):
    """Where to: the predictions of the API, or gateways; canary_percent: how many of them come first."""

    target: Target = Target.CLOUD
    cohort: Annotated[list[str], Field(max_length=1000)] = ["*"]
    devices: Annotated[list[str], Field(max_length=1000)] = []
    canary_percent: Annotated[Number | None, Field(gt=0, lt=100)] = None


class DeploymentAnswer(BaseModel):
    """What was done; on the way to gateways the status is `deploying` until the rollout has finished."""

    model_id: str
    status: str
    deployment_time: datetime
    endpoint: str
    version: int
    rollout_id: str | None = None


class Shown(BaseModel):
    """Which models a list shows; no limit: 20 under /api, all of them under /api/v1."""

    status: Wanted | None = None
    sort: Sort = Sort.CREATED_AT
    limit: Annotated[int | None, Field(ge=1, le=1000)] = None
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1


@router.get(
    "",
    summary="List models",
    dependencies=[limited("100/minute")],
    responses=answers({"models": [ITEM_EXAMPLE], "total": 1, "page": 1, "limit": 20}, 401, 403, 422, 503),
)
async def list_models(
    request: Request, response: Response, _caller: ModelReader, services: ServicesDep, shown: Annotated[Shown, Query()]
) -> ModelsAnswer:
    """Under /api/v1 the models that serve, all at once, unless asked otherwise; under /api all models, 20 a page."""
    is_v1 = request.url.path.startswith(V1_PREFIX)
    wanted = shown.status or (Wanted.ACTIVE if is_v1 else Wanted.ALL)
    limit = shown.limit or (_MOST if is_v1 else 20)
    found = await services.threads.run(lambda _: services.models.list())
    items = [item for item in (model_item(model, request.url.path) for model in found) if _is_wanted(item, wanted)]
    items.sort(key=_ORDERS[shown.sort])
    offset = (shown.page - 1) * limit
    tell_pages(len(items), request, response, limit=limit, offset=offset)
    return ModelsAnswer(models=items[offset : offset + limit], total=len(items), page=shown.page, limit=limit)


@router.get("/{model_id}", summary="Show one model", responses=answers(MODEL_EXAMPLE, *_ERRORS))
async def show_model(model_id: str, request: Request, _caller: ModelReader, services: ServicesDep) -> ModelAnswer:
    """Show a model by its id or name: every version, the aliases, and which gateways run it."""

    def look(views: Views) -> ModelAnswer:
        model = services.models.get(model_id)
        uses = running(views.standings.all().values(), model.name)
        return model_answer(model, request.url.path, uses)

    return await services.threads.run(look)


@router.post("/{model_id}/publish", summary="Sign a version", responses=answers(VERSION_EXAMPLE, *_ERRORS))
async def publish_model(
    model_id: str, caller: ModelWriter, services: ServicesDep, choice: Annotated[Choice, Body(default_factory=Choice)]
) -> VersionAnswer:
    """Sign a version's package, so that gateways may fetch it; doing it twice changes nothing."""

    def publish(_: Views) -> VersionAnswer:
        version = services.models.publish(model_id, choice.version, by=caller.name)
        return version_answer(services.models.get(model_id), version)

    return await services.threads.run(publish)


@router.post("/{model_id}/deploy", summary="Let a version serve", responses=answers(_DEPLOYED, *_ERRORS))
async def deploy_model(
    model_id: str,
    caller: ModelWriter,
    services: ServicesDep,
    wish: Annotated[Deployment, Body(default_factory=Deployment)],
) -> DeploymentAnswer:
    """In the cloud, as usual: at once, under the alias `champion`, and POST /predict answers; a body is not needed.

    With `target` `edge`: signed, and rolled out to gateways group by group.
    """

    def deploy(views: Views) -> DeploymentAnswer:
        model = services.models.get(model_id)
        version = services.models.version(model.name, wish.version or _newest(model))
        if wish.target is Target.CLOUD:
            _require_answers(services, version)
            services.models.set_alias(model.name, CHAMPION, version.version, by=caller.name)
            return _answer(services, model, version.version, "deployed")
        services.models.publish(model.name, version.version, by=caller.name)
        rules = Rules() if wish.canary_percent is None else Rules(groups=(wish.canary_percent, 100.0))
        started = services.rollouts.start(
            model.name,
            version.version,
            rules=rules,
            whereto=Whereto(tuple(wish.cohort), tuple(wish.devices)),
            fleet=views.standings.all(),
            by=caller.name,
        )
        return _answer(services, model, version.version, "deploying", started.id)

    return await services.threads.run(deploy)


def _require_answers(services: Services, version: ModelVersion) -> None:
    """Raise Conflict for a version that was put aside or does not run here, Failed where it cannot be loaded."""
    if version.archived_at is not None:
        raise Conflict(f"{version.label} is archived", code="MODEL_ARCHIVED")
    try:
        services.inference.ready(version)
    except Unavailable as error:
        raise Failed(f"{version.label} is not deployed: {error}", code="DEPLOYMENT_FAILED") from error


def _newest(model: Model) -> int | None:
    return next((one.version for one in model.versions if one.archived_at is None), None)


def _answer(
    services: Services, model: Model, version: int, status: str, rollout: str | None = None
) -> DeploymentAnswer:
    return DeploymentAnswer(
        model_id=model.id,
        status=status,
        deployment_time=to_datetime(services.clock.now_us()),
        endpoint=f"/api/predict/{model.id}",
        version=version,
        rollout_id=rollout or None,
    )


def _is_wanted(item: ModelItem, wanted: Wanted) -> bool:
    if wanted in (Wanted.ACTIVE, Wanted.DEPLOYED):
        return item.stage is Stage.DEPLOYED
    return wanted is Wanted.ALL or item.stage.value == wanted.value


_ORDERS: dict[Sort, Callable[[ModelItem], tuple[float | str, str]]] = {
    Sort.CREATED_AT: lambda item: (-item.created_at.timestamp(), item.name),
    Sort.ACCURACY: lambda item: (-(item.accuracy if item.accuracy is not None else -1.0), item.name),
    Sort.NAME: lambda item: (item.name, item.name),
}
