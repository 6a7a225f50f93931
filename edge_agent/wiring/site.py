"""Every Device and Tag of a gateway, numbered as all parts know them, and the parts made one per Device or Tag."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge_agent.config.detect import SCORE_TAG
from edge_agent.config.devices import Device, OpcuaDevice, TagSettings
from edge_agent.config.schema import AgentSettings
from edge_agent.drivers import Surroundings, make_driver, tag_infos, tags_of
from edge_agent.gates.deadband import DeadbandGate, DeadbandRules
from edge_agent.gates.quality import QualityGate, QualityRules
from edge_agent.polling.poller import PolledTag
from edge_agent.ports import Clock, Driver
from protocols.reading import Kind
from protocols.tag import DeviceInfo, TagInfo, TagTable


class SystemClock:
    """The Clock port over the machine's clocks."""

    def now_us(self) -> int:
        """Return microseconds since the epoch, UTC."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Numbered:
    """One Device and its Tags; first: the index of the first of them in the gateway's tag table."""

    device: Device
    first: int
    tags: tuple[TagSettings, ...]

    @property
    def indices(self) -> tuple[int, ...]:
        """Return the indices of the Tags."""
        return tuple(range(self.first, self.first + len(self.tags)))

    def polled(self) -> dict[int, PolledTag]:
        """Return what a poller must know of each Tag, by index."""
        return {
            index: PolledTag(self.device.period_s if tag.period_s is None else tag.period_s, tag.kind)
            for index, tag in zip(self.indices, self.tags, strict=True)
        }

    @property
    def shortest_period_s(self) -> float:
        """Return how often the Device is read at least."""
        return min((tag.period_s for tag in self.polled().values()), default=0.0)

    @property
    def tells_changes(self) -> bool:
        """Return whether silence is no sign that polling stands still."""
        return isinstance(self.device, OpcuaDevice) and self.device.subscribe

    @property
    def protocol(self) -> str:
        """Return the word that the configuration uses for what the Device speaks."""
        return str(self.device.__struct_config__.tag)


@dataclass(frozen=True, slots=True)
class Site:
    """Every Device and Tag of the gateway, numbered as all parts know them."""

    numbered: tuple[Numbered, ...]
    table: TagTable
    scores: Mapping[str, int]
    """The index of the score Tag of each Device that is judged, by its id."""


def survey(settings: AgentSettings) -> Site:
    """Return the Tags with their numbers; raise DeviceLost where a recording that must name them cannot be read."""
    numbered: list[Numbered] = []
    first = 0
    for device in settings.devices:
        tags = tags_of(device)
        numbered.append(Numbered(device, first, tags))
        first += len(tags)
    devices = tuple(DeviceInfo(d.id, d.type, d.name, d.location) for d in settings.devices)
    tag_rows = tuple(info for index, device in enumerate(settings.devices) for info in tag_infos(device, index))
    judged = [(index, detect) for index, d in enumerate(settings.devices) if (detect := settings.detect_of(d))]
    score_rows = tuple(
        TagInfo(index, SCORE_TAG, Kind.FLOAT, period_s=detect.score_period_s) for index, detect in judged
    )
    scores = {settings.devices[index].id: len(tag_rows) + place for place, (index, _) in enumerate(judged)}
    return Site(tuple(numbered), TagTable(devices, tag_rows + score_rows), scores)


def make_drivers(site: Site, clock: Clock) -> tuple[Driver, ...]:
    """Return one driver per Device, not yet open; units of one line share its bus."""
    around = Surroundings(clock=clock, jitter=random.random, secret=str)
    return tuple(make_driver(each.device, each.first, around) for each in site.numbered)


def make_quality_gate(site: Site) -> QualityGate:
    """Return the gate that judges by the Tags' ranges and flat lines."""
    tags = _all_tags(site)
    ranges = [tag.range or (-np.inf, np.inf) for tag in tags]
    low, high = np.array(ranges, np.float64).reshape(-1, 2).T
    return QualityGate(QualityRules(low, high, _microseconds([tag.flat_line_s for tag in tags])))


def make_deadband_gate(site: Site) -> DeadbandGate:
    """Return the gate that holds back what changed less than the Tags' deadbands."""
    tags = _all_tags(site)
    absolute = np.array([tag.deadband for tag in tags], np.float64)
    relative = np.array([tag.deadband_percent / 100 for tag in tags], np.float64)
    return DeadbandGate(DeadbandRules(absolute, relative, _microseconds([tag.max_silence_s for tag in tags])))


def _all_tags(site: Site) -> Sequence[TagSettings]:
    return [tag for each in site.numbered for tag in each.tags]


def _microseconds(seconds: Sequence[float]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return (np.array(seconds, np.float64) * 1e6).astype(np.int64)
