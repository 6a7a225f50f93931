"""What brings models to a gateway, made only where the configuration names a cloud to take them from."""

import random
from collections.abc import Callable, Mapping, Sequence

from edge_agent.config.schema import AgentSettings
from edge_agent.delivery.sealer import Sealer
from edge_agent.detectors.loader import load_network
from edge_agent.models.bringer import Bringer, Source
from edge_agent.models.child import Children
from edge_agent.models.keeper import Keeper
from edge_agent.models.place import Means
from edge_agent.models.shelf import Shelf
from edge_agent.ports import Clock, Judge
from protocols.topics import GatewayTopic

Listen = Callable[[GatewayTopic, Callable[[bytes], None]], None]
"""Registers who takes the messages of a topic, before the uplink connects."""


def make_keeper(
    settings: AgentSettings,
    judges: Sequence[Judge],
    parts: tuple[Sealer, Clock],
    environment: Mapping[str, str],
    listen: Listen,
) -> Keeper | None:
    """Return what keeps these Judges' models as the cloud wants them, None where `models.url` names no cloud."""
    told = settings.models
    if told.url is None or told.root is None:
        return None
    sealer, clock = parts

    def record(name: str, device: str, detail: dict[str, str | int | float | bool]) -> None:
        sealer.record(name, device=device, detail=detail)

    bringer = Bringer(
        source=Source(told.directory, told.url, told.root, str(told.key or ""), told.deadline_ms),
        children=Children(environment),
        clock=clock,
        clock_is_set=lambda: sealer.clock_is_set,
        random=random.random,
        record=record,
    )
    means = Means(Shelf(told.directory), load_network, record, told.deadline_ms * 1000)
    keeper = Keeper(judges=judges, means=means, bringer=bringer)
    listen(GatewayTopic.MODELS, keeper.inbox.receive)
    return keeper
