"""The table of routers: one line a resource; each is served under /api/v1 and again, undocumented, under /api."""

from fastapi import APIRouter, FastAPI

from cloud.api.frame import API_PREFIX, V1_PREFIX
from cloud.api.routes import (
    alarm_rules,
    alarms,
    algorithms,
    data,
    datasets,
    decisions,
    devices,
    drift,
    experiments,
    failures,
    forecasts,
    gateways,
    health,
    history,
    jobs,
    labels,
    metrics,
    models,
    packages,
    rollouts,
    root,
    training,
)

RESOURCES: tuple[APIRouter, ...] = (
    health.router,
    data.router,
    devices.router,
    failures.router,
    gateways.router,
    history.router,
    alarms.router,
    alarm_rules.router,
    labels.router,
    decisions.router,
    drift.router,
    forecasts.router,
    datasets.router,
    algorithms.router,
    experiments.router,
    jobs.router,
    training.router,
    models.router,
    rollouts.router,
    packages.router,
)
UPLOADS = tuple(f"{prefix}{path}" for prefix in (V1_PREFIX, API_PREFIX) for path in ("/upload", "/datasets"))
"""Where files come in, for which other bounds hold."""
AT_THE_ROOT: tuple[APIRouter, ...] = (root.router, health.router, metrics.router)


def include_all(app: FastAPI) -> None:
    """Serve every resource; the document shows /api/v1 and the root, without the health pages' second home."""
    for router in AT_THE_ROOT:
        app.include_router(router)
    for router in RESOURCES:
        app.include_router(router, prefix=V1_PREFIX, include_in_schema=router is not health.router)
        app.include_router(router, prefix=API_PREFIX, include_in_schema=False)


def include_aliases(app: FastAPI) -> None:
    """Put the same resources under /api, for the document of that mount."""
    for router in RESOURCES:
        app.include_router(router, prefix=API_PREFIX)
