"""How services grow and shrink with their load."""

from typing import Annotated, Literal

from pydantic import Field

from cloud.sections.base import Section

Instances = Annotated[int, Field(ge=1, le=64)]


class InstanceSettings(Section):
    """How many processes one service may have; most: null for what is usual for it."""

    service: Literal["ingest", "inference", "jobs", "api"]
    least: Instances = 1
    most: Instances | None = None


class ScalingSettings(Section):
    """Who carries decisions out, and within which bounds."""

    executor: Literal["supervisor", "dry_run"] = "supervisor"
    """`dry_run` only writes down what would be done."""
    automatic: bool = True
    """Whether forecasts and load change anything; people always may."""
    instances: tuple[InstanceSettings, ...] = ()
    """Bounds of services; one that is not named has 1 at least, and as many as there are cores at most: but `api` and
    `inference` have 1, since Socket.IO needs a proxy before several processes."""
