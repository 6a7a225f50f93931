"""GET /status, /system_metrics, /performance/metrics: three documents' views of one collector."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import Query, Request
from pydantic import BaseModel

from cloud.api.backing import backing_of
from cloud.api.deps import ServicesDep, SystemReader
from cloud.api.document import answers
from cloud.api.limits import limited, limited_as_documented
from cloud.api.resource import Resource
from cloud.domain.times import to_datetime
from cloud.operations.collector import Machine
from cloud.operations.health import Status
from cloud.services import Services, Views

router = Resource(tags=["system"])
_Word = Literal["operational", "degraded", "down"]
_WORDS: Mapping[Status, _Word] = {
    Status.HEALTHY: "operational",
    Status.DEGRADED: "degraded",
    Status.UNHEALTHY: "down",
}
_STATUS = {
    "status": "operational",
    "models_count": 2,
    "active_jobs": 1,
    "storage_used": "124.5 MB",
    "cpu_usage": "23%",
    "memory_usage": "45%",
    "uptime": "2 days 14:23:45",
}
_METRICS = {
    "timestamp": "2026-01-15T10:30:00Z",
    "cpu_percent": 15.2,
    "memory_percent": 65.8,
    "disk_percent": 72.1,
    "active_connections": 5,
    "cache_available": True,
    "database_available": True,
    "celery_available": True,
    "workers_alive": 1,
    "models_count": 2,
    "active_jobs": 1,
    "storage_used_bytes": 124500000,
    "process_memory_bytes": 118000000,
    "uptime_seconds": 224625,
    "api_response_time_ms": 3.2,
}
_PERFORMANCE = {
    "cpu_usage_percent": 45.2,
    "memory_usage_mb": 112.8,
    "active_requests": 3,
    "total_requests": 1542,
    "average_response_time_ms": 12.4,
    "error_rate_percent": 0.2,
    "cache_hit_rate_percent": 98.5,
    "slow_routes": [
        {
            "method": "GET",
            "handler": "/api/v1/historical_data",
            "count": 12,
            "average_ms": 31.5,
            "longest_ms": 84.2,
            "failures": 0,
        }
    ],
    "slow_queries": [
        {"statement": "SELECT jobs.id FROM jobs WHERE jobs.state = ?", "count": 9, "average_ms": 1.2, "longest_ms": 4.0}
    ],
}
_MOST_TEXT = 500
_DAY_S = 86_400


class StatusAnswer(BaseModel):
    """The state of the whole for people; the numbers themselves are in system_metrics."""

    status: _Word
    models_count: int
    active_jobs: int
    storage_used: str
    cpu_usage: str
    memory_usage: str
    uptime: str


class SystemMetrics(BaseModel):
    """The machine and what this server stands on; counts are null where the records are away."""

    timestamp: datetime
    cpu_percent: float
    memory_percent: float
    disk_percent: float
    active_connections: int
    cache_available: bool
    database_available: bool
    celery_available: bool
    workers_alive: int
    models_count: int | None
    active_jobs: int | None
    storage_used_bytes: int
    process_memory_bytes: int
    uptime_seconds: int
    api_response_time_ms: float


class SlowRoute(BaseModel):
    """One route of this process since its start."""

    method: str
    handler: str
    count: int
    average_ms: float
    longest_ms: float
    failures: int


class SlowQuery(BaseModel):
    """One statement on the records, without its values."""

    statement: str
    count: int
    average_ms: float
    longest_ms: float


class Performance(BaseModel):
    """What this process does, and where its time goes."""

    cpu_usage_percent: float
    memory_usage_mb: float
    active_requests: int
    total_requests: int
    average_response_time_ms: float
    error_rate_percent: float
    cache_hit_rate_percent: float | None
    slow_routes: list[SlowRoute]
    slow_queries: list[SlowQuery]


@router.get("/status", summary="State of the whole", responses=answers(_STATUS, 401, 403, 422, 503))
async def system_status(_caller: SystemReader, services: ServicesDep) -> StatusAnswer:
    """Show whether all works, with figures as people read them."""
    health = await services.doctor.examine()
    machine = await _machine(services)
    counts = await services.threads.run(lambda _: services.collector.counts())
    return StatusAnswer(
        status=_WORDS[health.status],
        models_count=counts["total_models"],
        active_jobs=counts["active_jobs"],
        storage_used=_megabytes(machine.storage_bytes),
        cpu_usage=f"{machine.cpu_percent:.0f}%",
        memory_usage=f"{machine.memory_percent:.0f}%",
        uptime=_uptime(health.uptime_s),
    )


@router.get(
    "/system_metrics",
    summary="Figures of the machine",
    responses=answers(_METRICS, 401, 403, 422, 503),
    dependencies=[limited("120/minute")],
)
async def system_metrics(request: Request, _caller: SystemReader, services: ServicesDep) -> SystemMetrics:
    """Show shares in percent, and whether what this server stands on is there; celery stands for our job workers.

    Callers of the same second may get the same answer: `timestamp` says of when it is.
    """
    return await services.moments.awaited("system metrics", lambda: _metrics(request, services))


async def _metrics(request: Request, services: Services) -> SystemMetrics:
    machine = await _machine(services)
    parts = (await services.doctor.examine()).components
    is_there = parts["database"].status is Status.HEALTHY
    counts = await services.threads.run(lambda _: services.collector.counts()) if is_there else None
    workers = int(str(parts["workers"].details.get("alive", 0)))
    return SystemMetrics(
        timestamp=to_datetime(services.clock.now_us()),
        cpu_percent=machine.cpu_percent,
        memory_percent=machine.memory_percent,
        disk_percent=machine.disk_percent,
        active_connections=backing_of(request).connections(),
        cache_available=parts["cache"].status is Status.HEALTHY,
        database_available=is_there,
        celery_available=workers > 0,
        workers_alive=workers,
        models_count=counts["total_models"] if counts else None,
        active_jobs=counts["active_jobs"] if counts else None,
        storage_used_bytes=machine.storage_bytes,
        process_memory_bytes=machine.process_bytes,
        uptime_seconds=int(services.doctor.uptime_s),
        api_response_time_ms=services.collector.response_ms,
    )


@router.get(
    "/performance/metrics",
    summary="Performance of the API",
    responses=answers(_PERFORMANCE, 401, 403, 422, 503),
    dependencies=[limited_as_documented()],
)
async def performance_metrics(
    _caller: SystemReader,
    services: ServicesDep,
    limit: Annotated[int, Query(ge=1, le=100, description="The most slow routes and queries to list.")] = 10,
) -> Performance:
    """Show what this process was asked since its start, and its slowest routes and queries on average."""
    machine, traffic = await _machine(services), services.traffic.figures()
    hit_rate = services.traffic.hit_rate
    return Performance(
        cpu_usage_percent=machine.cpu_percent,
        memory_usage_mb=round(machine.process_bytes / 1e6, 1),
        active_requests=traffic.active,
        total_requests=traffic.count,
        average_response_time_ms=round(traffic.mean_s * 1e3, 3),
        error_rate_percent=round(traffic.error_share * 100, 3),
        cache_hit_rate_percent=None if hit_rate is None else round(hit_rate * 100, 1),
        slow_routes=_slow_routes(services, limit),
        slow_queries=_slow_queries(services, limit),
    )


async def _machine(services: Services) -> Machine:
    def look(_: Views) -> Machine:
        return services.collector.look()

    return await services.threads.run(look)


def _slow_routes(services: Services, limit: int) -> list[SlowRoute]:
    return [
        SlowRoute(
            method=one.method,
            handler=one.handler,
            count=one.count,
            average_ms=round(one.mean_s * 1e3, 3),
            longest_ms=round(one.longest_s * 1e3, 3),
            failures=one.failures,
        )
        for one in services.traffic.slowest(limit)
    ]


def _slow_queries(services: Services, limit: int) -> list[SlowQuery]:
    return [
        SlowQuery(
            statement=" ".join(one.text.split())[:_MOST_TEXT],
            count=one.count,
            average_ms=round(one.mean_s * 1e3, 3),
            longest_ms=round(one.longest_s * 1e3, 3),
        )
        for one in services.collector.slowest(limit)
    ]


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _uptime(seconds: float) -> str:
    days, rest = divmod(int(seconds), _DAY_S)
    clock = str(timedelta(seconds=rest)).rjust(8, "0")
    return f"{days} day{'' if days == 1 else 's'} {clock}" if days else clock
