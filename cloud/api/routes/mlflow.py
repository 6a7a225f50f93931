"""/api/2.0/mlflow: models, experiments and runs in the shape of MLflow's REST interface, for reading only.

Readable with `models:read`. Callers on this machine need no credentials on the registry's own port, as MLflow's
clients send none. Errors have MLflow's own body. In neither OpenAPI document, since it is another product's shape.
"""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Body, Depends, Query, Request, Security
from pydantic import BaseModel, ConfigDict, Field

from cloud.api.credentials import comes_from_here
from cloud.api.deps import ServicesDep, visitor
from cloud.api.frame import MLFLOW_PREFIX
from cloud.api.mlflow_filter import Condition, parse_filter
from cloud.api.mlflow_views import (
    latest_versions,
    run_facts,
    show_experiment,
    show_model,
    show_run,
    show_version,
)
from cloud.api.resource import Resource
from cloud.domain.api_key import Principal
from cloud.domain.experiment import Experiment, Run
from cloud.domain.identity import parse_id
from cloud.domain.scopes import Scope
from cloud.errors import Forbidden, Malformed, NotFound, Unauthorized

_Text = Annotated[str, Field(max_length=500)]
_Facts = dict[str, Any]
Item = TypeVar("Item")


async def registry_reader(request: Request, who: Annotated[Principal | None, Security(visitor)]) -> None:
    """Let in who may read models; raise Unauthorized, Forbidden."""
    if who is not None and not who.allows(Scope.MODELS_READ):
        raise Forbidden("this needs the scope models:read", code="PERMISSION_DENIED")
    if who is None and not _is_local_registry(request):
        raise Unauthorized("send an API key as X-API-Key or as a bearer token", code="UNAUTHENTICATED")


def _is_local_registry(request: Request) -> bool:
    """Return whether somebody on this machine asks on the port that is the registry's."""
    return request.scope.get("alias") == "registry" and comes_from_here(request)


router = Resource(
    prefix=MLFLOW_PREFIX, tags=["registry"], include_in_schema=False, dependencies=[Depends(registry_reader)]
)


class Page(BaseModel):
    """Which of many: a filter, how many at most, and the token of the page before."""

    model_config = ConfigDict(extra="ignore")

    filter: Annotated[str, Field(max_length=2000)] = ""
    max_results: Annotated[int, Field(ge=1, le=50_000)] = 1000
    page_token: Annotated[str, Field(max_length=20)] = ""
    order_by: Annotated[list[_Text], Field(max_length=20)] = []


class RunsPage(Page):
    """Which runs, of which experiments."""

    experiment_ids: Annotated[list[_Text], Field(max_length=1000)] = []


class LatestBody(BaseModel):
    """Of which model, and of which stages."""

    model_config = ConfigDict(extra="ignore")

    name: _Text
    stages: Annotated[list[_Text], Field(max_length=10)] = []


_Paged = Annotated[Page, Query()]


@router.get("/registered-models/list")
@router.get("/registered-models/search")
async def search_registered_models(services: ServicesDep, page: _Paged) -> _Facts:
    """List the models whose name the filter matches."""
    conditions = parse_filter(page.filter)
    models = await services.threads.run(lambda _: services.models.list())
    found = [model for model in models if _hold(conditions, {"name": model.name})]
    shown, token = _cut(found, page)
    return {"registered_models": [show_model(model) for model in shown], **token}


@router.get("/registered-models/get")
async def get_registered_model(services: ServicesDep, name: Annotated[_Text, Query()]) -> _Facts:
    """Show one model."""
    return {"registered_model": show_model(await services.threads.run(lambda _: services.models.get(name)))}


@router.post("/registered-models/get-latest-versions")
async def post_latest_versions(services: ServicesDep, body: LatestBody) -> _Facts:
    """Show the newest version of each stage."""
    model = await services.threads.run(lambda _: services.models.get(body.name))
    return {"model_versions": latest_versions(model, body.stages)}


@router.get("/registered-models/get-latest-versions")
async def get_latest_versions(services: ServicesDep, asked: Annotated[LatestBody, Query()]) -> _Facts:
    """Show the newest version of each stage."""
    return await post_latest_versions(services, asked)


@router.get("/model-versions/search")
async def search_model_versions(services: ServicesDep, page: _Paged) -> _Facts:
    """List the versions that the filter matches, by name, version_number, run_id or source_path."""
    conditions = parse_filter(page.filter)
    models = await services.threads.run(lambda _: services.models.list())
    versions = [show_version(model, version) for model in models for version in model.versions]
    found = [one for one in versions if _hold(conditions, _version_facts(one))]
    shown, token = _cut(found, page)
    return {"model_versions": shown, **token}


@router.post("/experiments/search")
async def post_search_experiments(services: ServicesDep, page: Annotated[Page, Body(default_factory=Page)]) -> _Facts:
    """List the experiments whose name the filter matches, the newest first."""
    conditions = parse_filter(page.filter)
    experiments = await services.threads.run(lambda _: services.experiments.list())
    found = [one for one in experiments if _hold(conditions, {"name": one.name})]
    shown, token = _cut(found, page)
    return {"experiments": [show_experiment(one) for one in shown], **token}


@router.get("/experiments/search")
async def get_search_experiments(services: ServicesDep, page: _Paged) -> _Facts:
    """List the experiments whose name the filter matches, the newest first."""
    return await post_search_experiments(services, page)


@router.post("/runs/search")
async def search_runs(services: ServicesDep, page: RunsPage) -> _Facts:
    """List the runs of experiments that the filter matches, the newest first unless a metric orders them."""
    conditions = parse_filter(page.filter)
    wanted = {parse_id("experiment", one, code="RESOURCE_DOES_NOT_EXIST") for one in page.experiment_ids}
    experiments = await services.threads.run(lambda _: services.experiments.list())
    missing = wanted - {one.id for one in experiments}
    if missing:
        raise NotFound(f"there is no experiment {min(missing)}", code="RESOURCE_DOES_NOT_EXIST")
    found = [run for run in _runs_of(experiments, wanted) if _hold(conditions, run_facts(run))]
    shown, token = _cut(_ordered(found, page.order_by), page)
    return {"runs": [show_run(run) for run in shown], **token}


def _runs_of(experiments: Sequence[Experiment], wanted: set[str]) -> list[Run]:
    return [run for one in experiments if one.id in wanted for run in one.runs]


def _ordered(runs: list[Run], order_by: Sequence[str]) -> list[Run]:
    """Return runs by several keys such as `metrics.f1 DESC`; those without one come last."""
    ordered = sorted(runs, key=lambda run: run.ended_at, reverse=True)
    for wish in reversed(order_by):
        name, _, direction = wish.strip().partition(" ")
        key = name.removeprefix("attributes.").replace("`", "")
        is_falling = direction.strip().upper() == "DESC"
        having = [run for run in ordered if key in run_facts(run)]
        having.sort(key=lambda run, key=key: _sortable(run_facts(run)[key]), reverse=is_falling)  # type: ignore[misc]
        ordered = [*having, *(run for run in ordered if key not in run_facts(run))]
    return ordered


def _sortable(value: object) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, int | float) else (0.0, str(value))


def _version_facts(shown: _Facts) -> _Facts:
    number = int(shown["version"])
    return {
        "name": shown["name"],
        "version_number": number,
        "run_id": shown["run_id"],
        "source_path": shown["source"],
    }


def _hold(conditions: Sequence[Condition], facts: _Facts) -> bool:
    return all(one.holds(facts) for one in conditions)


def _cut(items: Sequence[Item], page: Page) -> tuple[Sequence[Item], _Facts]:
    """Return one page, and the token of the next where there is one; raise Malformed for a token of nobody."""
    if page.page_token and not page.page_token.isdecimal():
        raise Malformed(f"page_token: {page.page_token!r} is none of ours", code="INVALID_PARAMETER_VALUE")
    start = int(page.page_token or 0)
    end = start + page.max_results
    return items[start:end], {"next_page_token": str(end)} if end < len(items) else {}
