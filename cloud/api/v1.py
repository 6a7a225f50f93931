"""The table of routers: one line a resource; each is served under /api/v1 and again, undocumented, under /api."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends, FastAPI

from cloud.api.document import refused_too_often
from cloud.api.frame import API_PREFIX, V1_PREFIX
from cloud.api.limits import keep_within
from cloud.api.resource import fixed_methods
from cloud.api.routes import (
    activity,
    admin,
    alarm_bulk,
    alarm_rate,
    alarm_rules,
    alarms,
    algorithms,
    auth,
    autonomous,
    dashboard,
    data,
    datasets,
    dead_letters,
    decisions,
    detection,
    detectors,
    device_facts,
    device_predictions,
    devices,
    downloads,
    drift,
    events,
    experiments,
    exports,
    failures,
    forecasts,
    gateways,
    handovers,
    health,
    health_scores,
    history,
    jobs,
    keys,
    labels,
    metrics,
    mlflow,
    models,
    notifications,
    packages,
    predict,
    recommendations,
    reports,
    rollouts,
    root,
    scaling,
    settings,
    system,
    tasks,
    training,
    users,
    webhooks,
)

RESOURCES: tuple[APIRouter, ...] = (
    health.router,
    metrics.scrape,
    system.router,
    admin.router,
    auth.router,
    users.router,
    keys.router,
    settings.router,
    activity.router,
    data.router,
    dashboard.router,
    devices.router,
    device_facts.router,
    device_predictions.router,
    health_scores.router,
    recommendations.router,
    handovers.router,
    failures.router,
    gateways.router,
    history.router,
    alarm_bulk.router,
    alarm_rate.router,
    alarms.router,
    alarm_rules.router,
    labels.router,
    decisions.router,
    reports.router,
    tasks.router,
    exports.router,
    drift.router,
    events.router,
    scaling.router,
    forecasts.router,
    datasets.router,
    algorithms.router,
    experiments.router,
    autonomous.router,
    detectors.router,
    detection.router,
    predict.router,
    jobs.router,
    training.router,
    models.router,
    rollouts.router,
    packages.router,
    webhooks.router,
    dead_letters.router,
    notifications.router,
)
UPLOADS = tuple(f"{prefix}{path}" for prefix in (V1_PREFIX, API_PREFIX) for path in ("/upload", "/datasets"))
"""Where files come in, for which other bounds hold."""
AT_THE_ROOT: tuple[APIRouter, ...] = (root.router, health.router, metrics.router, mlflow.router, downloads.router)


def include_all(app: FastAPI) -> None:
    """Serve every resource; the document shows /api/v1 and the root, without the health pages' second home."""
    for router in AT_THE_ROOT:
        app.include_router(router)
    for router in RESOURCES:
        is_shown = router is not health.router
        app.include_router(router, prefix=V1_PREFIX, include_in_schema=is_shown, **_framed(router))
        app.include_router(router, prefix=API_PREFIX, include_in_schema=False, **_framed(router))


def include_aliases(app: FastAPI) -> None:
    """Put the same resources under /api, for the document of that mount."""
    for router in RESOURCES:
        app.include_router(router, prefix=API_PREFIX, **_framed(router))


def methods_without_ids() -> Mapping[str, Sequence[str]]:
    """Return what may be done at the paths under both mounts that have no id in them."""
    return fixed_methods(RESOURCES, (V1_PREFIX, API_PREFIX))


def _framed(router: APIRouter) -> dict[str, Any]:
    """Return what every resource has without saying so; health answers whoever asks, however often."""
    if router is health.router:
        return {}
    return {"dependencies": [Depends(keep_within)], "responses": {429: refused_too_often()}}
