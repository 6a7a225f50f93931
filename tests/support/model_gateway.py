"""ModelGateway: a Keeper with real errands, shelf and Scorer over small Judges, and hands that want and look."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from edge_agent.detectors.loader import load_network
from edge_agent.models.bringer import Bringer, Source
from edge_agent.models.child import Children
from edge_agent.models.keeper import Keeper
from edge_agent.models.place import Means
from edge_agent.models.shelf import Shelf
from edge_agent.wiring.site import SystemClock
from protocols.wanted import ModelStanding, Phase, Standing, Wanted, WantedModel, encode_wanted
from tests.support.near_children import NearChildren
from tests.support.package_server import KEY, PackageServer
from tests.support.packages import CHANNELS, normal_rows
from tests.support.small_judge import SmallJudge
from tests.support.waiting import until

Detail = dict[str, str | int | float | bool]


class ModelGateway:
    """One gateway's models; runs inside the block; the same directory again is a restart."""

    def __init__(self, directory: Path, server: PackageServer, devices: Sequence[str] = ("pump-1",)) -> None:
        self.directory = directory
        self.server = server
        self.devices = tuple(devices)
        self.children: Children = NearChildren()
        self.clock_is_set = True
        self.trial_s = 20.0
        self.revision = 0
        self.events: list[tuple[str, str, Detail]] = []
        self.judges: dict[str, SmallJudge] = {}
        self._task: asyncio.Future[tuple[None, None]] | None = None

    async def start(self) -> None:
        """Begin as after a start of the agent."""
        clock = SystemClock()
        self.judges = {device: SmallJudge(device, CHANNELS) for device in self.devices}
        source = Source(
            self.directory, self.server.url, self.server.root, KEY, 50.0, fetch_s=20.0, trial_s=self.trial_s
        )
        self.bringer = Bringer(
            source=source,
            children=self.children,
            clock=clock,
            clock_is_set=lambda: self.clock_is_set,
            random=lambda: 0.0,
            record=self._record,
        )
        means = Means(Shelf(self.directory), load_network, self._record, 50_000.0)
        self.keeper = Keeper(judges=list(self.judges.values()), means=means, bringer=self.bringer)
        self._task = asyncio.gather(self.keeper.run(), self.keeper.bring())

    async def stop(self) -> None:
        """End without a word, as a kill does."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def want(self, *models: WantedModel) -> None:
        """Have the cloud want this from now on."""
        self.revision += 1
        self.keeper.inbox.receive(encode_wanted(Wanted(self.revision, models)))

    def feed(self, n_rows: int = 100) -> None:
        """Let every Device say this many normal rows."""
        for judge in self.judges.values():
            judge.feed(normal_rows(n_rows, seed=5))

    def told(self, name: str, device: str = "pump-1") -> list[Detail]:
        """Return the details of every event of this name."""
        return [detail for told, of, detail in self.events if (told, of) == (name, device)]

    async def until_told(self, name: str, device: str = "pump-1") -> Detail:
        """Return the detail of the first event of this name once there is one."""
        await until(lambda: bool(self.told(name, device)))
        return self.told(name, device)[0]

    def standing(self, version: int, device: str = "pump-1") -> ModelStanding | None:
        """Return how a version stands, None where nothing is said of it."""
        said = self.keeper.standings()
        return next((one for one in said if (one.device, one.name, one.version) == (device, "pump", version)), None)

    async def until_it_is(self, standing: Standing, version: int, device: str = "pump-1") -> ModelStanding:
        """Return how the version stands once it stands so; raise what ended the keeper where it ended."""

        def is_so() -> bool:
            if self._task is not None and self._task.done():
                self._task.result()
            found = self.standing(version, device)
            return found is not None and found.standing is standing

        await until(is_so, deadline_s=40.0)
        found = self.standing(version, device)
        assert found is not None
        return found

    async def serve(self, version: int) -> None:
        """Bring a version all the way."""
        self.want(wish(version))
        await self.until_it_is(Standing.SHADOWING, version)
        self.feed()
        await self.keeper.look()
        await self.until_it_is(Standing.SERVING, version)

    def _record(self, name: str, device: str, detail: Detail) -> None:
        self.events.append((name, device, detail))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


def wish(
    version: int, phase: Phase = Phase.SERVING, *, device: str = "pump-1", rows: int = 100, rollout: str = "r1"
) -> WantedModel:
    """Return what the cloud wants of a Device."""
    return WantedModel(device, "pump", version, f"pump/{version}.lsp", phase, rows, rollout)
