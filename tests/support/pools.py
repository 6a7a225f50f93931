"""MemoryPools: the executor that does at once what it is asked, in memory."""

from collections.abc import Mapping

from sqlalchemy import insert

from cloud.domain.load import POOLS, Service
from cloud.domain.pools import RunningPool
from cloud.errors import Unavailable
from cloud.operations.host import HostLoad
from cloud.records.database import Records
from cloud.records.load import LoadBinRow


class MemoryPools:
    """Counts of processes; is_away: refuses everything, as where no supervisor runs."""

    def __init__(self) -> None:
        self.counts: dict[str, RunningPool] = {pool: RunningPool(1) for pool in POOLS.values()}
        self.is_away = False

    def want(self, counts: Mapping[str, int]) -> None:
        """Have so many processes."""
        if self.is_away:
            raise Unavailable("no supervisor of processes runs here", code="NO_SUPERVISOR")
        for pool, count in counts.items():
            self.counts[pool] = RunningPool(count, self.counts[pool].died_us)

    def running(self) -> Mapping[str, RunningPool]:
        """Return them."""
        return {} if self.is_away else dict(self.counts)

    def kill_one(self, pool: str, at_us: int) -> None:
        """Let one die, and another take its place."""
        known = self.counts[pool]
        self.counts[pool] = RunningPool(known.alive, (*known.died_us, at_us))


def calm_host() -> HostLoad:
    """Return a machine with little to do."""
    return HostLoad(0.2, 0.3)


def fill_load(
    records: Records, service: Service, per_s: Mapping[int, float], *, lag_s: float = 0.0, busy: bool = False
) -> None:
    """Keep whole minutes of load, by minute; busy: something waited all the time."""
    busy_s = 60.0 if busy else 0.0
    rows = [
        {
            "service": service.value,
            "minute": minute,
            "instance": "all",
            "messages": round(60 * value),
            "readings": 0,
            "seconds": 60.0,
            "lagging_s": busy_s,
            "done_while_lagging": round(busy_s * value),
            "lag_s": lag_s,
            "online": 0,
        }
        for minute, value in per_s.items()
    ]
    with records.writing() as session:
        session.execute(insert(LoadBinRow), rows)
