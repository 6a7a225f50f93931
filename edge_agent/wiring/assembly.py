"""The parts of one agent, made and joined in the order in which readings flow."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from edge_agent import VERSION
from edge_agent.agent import Agent, Ending, Task
from edge_agent.config.schema import Acknowledge, AgentSettings
from edge_agent.delivery.presence import Identity
from edge_agent.delivery.sealer import Sealer
from edge_agent.drivers import most_probe_s
from edge_agent.gates.line import GateLine
from edge_agent.polling.poller import DeviceChange, PollCounts, PolledDevice, Poller
from edge_agent.ports import AsyncBuffer
from edge_agent.watch.health import HealthServer
from edge_agent.watch.last_values import LastValues
from edge_agent.watch.progress import Progress, Work
from edge_agent.watch.report import Report, Sources, WatchedDevice
from edge_agent.watch.watchdog import Notifier, Watchdog, feeding_period_s
from edge_agent.wiring.delivery import Delivery
from edge_agent.wiring.site import SystemClock, make_deadband_gate, make_drivers, make_quality_gate, survey
from protocols.reading import ReadingBlock
from protocols.wanted import ModelStanding

if TYPE_CHECKING:
    from edge_agent.models.keeper import Keeper
    from edge_agent.wiring.detection import Detection

logger = logging.getLogger(__name__)
PATIENCE_S = 60.0
COMMIT_PATIENCE_S = 120.0
HOUSEKEEPING_S = 1.0
MORE_HOUSEKEEPING_S = 0.05
DRAIN_LOOK_S = 0.05


class Assembly:
    """The parts of one agent, made in the order in which readings flow."""

    def __init__(self, settings: AgentSettings, environment: Mapping[str, str], buffer: AsyncBuffer) -> None:
        self.settings = settings
        self.clock = SystemClock()
        self.buffer = buffer
        self.site = survey(settings)
        self.values = LastValues(self.site.table)
        self.sealer = Sealer(
            buffer=buffer,
            clock=self.clock,
            table=self.site.table,
            max_unsealed_s=settings.buffer.max_unsealed_s,
            wake=self._wake,
        )
        self.pollers: list[Poller] = []
        self.watched: dict[str, WatchedDevice] = {}
        self.deadband = make_deadband_gate(self.site)
        self.detection = self._make_detection()
        self._add_pollers()
        identity = Identity(
            settings.gateway, VERSION, self._skipped_polls, lambda: self.sealer.clock_is_set, self._standings
        )
        self.delivery = Delivery(settings, (buffer, self.sealer, self.clock), identity)
        self.keeper = self._make_keeper(environment)
        self.notifier = Notifier(environment.get("NOTIFY_SOCKET", ""))
        self.progress = Progress(self._works(), self.clock)
        self.feeding_period_s = feeding_period_s(environment)

    def agent(self) -> Agent:
        """Return the agent, ready to run."""
        watchdog = Watchdog(self.notifier, self.clock, self.progress.stuck, self.feeding_period_s)
        server = HealthServer(self.settings.watch.port, self._report().pages())
        keepers = [
            Task("sealer", self.sealer.run),
            Task("delivery", self.delivery.run),
            Task("housekeeping", self._keep_house),
            Task("health", server.run),
            Task("watchdog", watchdog.run),
        ]
        if self.detection is not None:
            keepers += [Task("detection", self.detection.run), Task("learning", self.detection.learn)]
        if self.keeper is not None:
            keepers += [Task("models", self.keeper.run), Task("packages", self.keeper.bring)]
        sources = [Task(f"poller of {poller.device}", poller.run) for poller in self.pollers]
        closing = (Task("uplink", self.delivery.close), Task("buffer", self.buffer.close))
        ending = Ending(self.sealer.flush, self._drain, closing)
        return Agent(sources=sources, keepers=keepers, ending=ending, notifier=self.notifier, clock=self.clock)

    def _add_pollers(self) -> None:
        quality = make_quality_gate(self.site)
        is_of_one_time = self.settings.uplink.acknowledge is Acknowledge.BROKER  # where a poll is one message
        for each, driver in zip(self.site.numbered, make_drivers(self.site, self.clock), strict=True):
            device = PolledDevice(each.device.id, each.polled(), most_probe_s(each.device), is_of_one_time)
            watched = WatchedDevice(each.device.id, each.protocol, PollCounts())
            tap = None if self.detection is None else self.detection.tap(each.device.id)
            taps = (watched.take, self.values.take, *([] if tap is None else [tap]))
            line = GateLine(quality, taps, self.deadband, self.sealer.accept)
            poller = Poller(device, driver, sink=line, clock=self.clock, jitter=random.random, tell=self._tell)
            watched.counts = poller.counts
            self.watched[each.device.id] = watched
            self.pollers.append(poller)

    def _make_detection(self) -> "Detection | None":
        if not self.site.scores:
            return None
        from edge_agent.wiring.detection import Detection, Parts  # noqa: PLC0415 - costs nothing where it is off

        return Detection(self.settings, Parts(self.site, self.sealer, self.clock, self._deliver_score))

    def _deliver_score(self, block: ReadingBlock) -> None:
        self.values.take(block)
        self.sealer.accept(block)

    def _make_keeper(self, environment: Mapping[str, str]) -> "Keeper | None":
        if self.settings.models.url is None:
            return None
        from edge_agent.wiring.models import make_keeper  # noqa: PLC0415 - costs nothing where no cloud is named

        judges = () if self.detection is None else self.detection.judges
        return make_keeper(self.settings, judges, (self.sealer, self.clock), environment, self.delivery.listen)

    def _standings(self) -> Sequence[ModelStanding]:
        if self.keeper is not None:
            return self.keeper.standings()
        return () if self.detection is None else self.detection.standings()

    def _tell(self, change: DeviceChange) -> None:
        self.watched[change.device].reason = change.reason
        extra = {"device_id": change.device}
        if change.is_lost:
            logger.warning("device lost: %s", change.reason, extra=extra)
            self.sealer.record("device_lost", device=change.device, detail={"reason": change.reason[:200]})
        else:
            logger.info("device is back", extra=extra)
            self.sealer.record("device_back", device=change.device)

    def _wake(self) -> None:
        self.delivery.wake()

    def _skipped_polls(self) -> int:
        return sum(poller.counts.skipped for poller in self.pollers)

    def _works(self) -> list[Work]:
        def steps_of(counts: PollCounts) -> Callable[[], int | None]:
            return lambda: counts.polls if counts.is_reachable else None

        works = [
            Work(f"polling {each.device.id}", steps_of(poller.counts), PATIENCE_S + 3 * each.shortest_period_s)
            for each, poller in zip(self.site.numbered, self.pollers, strict=True)
            if not each.tells_changes
        ]
        return [*works, Work("the buffer", self._commits, COMMIT_PATIENCE_S)]

    def _commits(self) -> int | None:
        figures = self.sealer.figures
        return figures.commits if figures.waiting else None

    def _report(self) -> Report:
        sources = Sources(
            ledger=self.buffer.ledger,
            epoch=self._epoch,
            sealing=lambda: self.sealer.figures,
            unsendable=self.delivery.unsendable,
            delivery=self.delivery.state,
            hidden=lambda: self.deadband.hidden,
            stuck=self.progress.stuck,
            judged=lambda: () if self.detection is None else self.detection.states(),
        )
        return Report((self.settings.gateway, VERSION), tuple(self.watched.values()), self.values, sources, self.clock)

    async def _epoch(self) -> int:
        return (await self.buffer.opened()).epoch

    async def _drain(self) -> None:
        """Wait until nothing waits for the cloud, as long as there is a broker to tell it to."""
        while self.delivery.state().connected and (await self.buffer.ledger()).batches_waiting:
            await self.clock.sleep(DRAIN_LOOK_S)
        await self.delivery.farewell()

    async def _keep_house(self) -> None:
        while True:
            has_more = await self.buffer.maintain()
            await self.clock.sleep(MORE_HOUSEKEEPING_S if has_more else HOUSEKEEPING_S)
