"""The demo's report: what was made, what is stored, and whether that is the same."""

from pathlib import Path

import msgspec

from deploy.account import Account
from deploy.counting import Count
from deploy.rows import Rows

FOUND_WITHIN_S = 10.0


class Interruption(msgspec.Struct, frozen=True):
    """A program that was killed or kept away, when, and how long until readings came through again, in seconds."""

    program: str
    at_s: float
    away_s: float
    first_value_after_s: float | None


class SeriesCount(msgspec.Struct, frozen=True):
    """A series of which not every reading is stored once and as it was."""

    machine: str
    tag: str
    lost: int
    duplicated: int
    altered: int
    unsealed: int


class Told(msgspec.Struct, frozen=True):
    """What came of the fault that was put into the plant.

    fault_injected_at: the first row that shows it, ISO 8601; detected_after_s: from then to the gateway's decision;
    alarm_in_api_after_s: from the decision to its alarm in the API; alarms_before: of detectors, on any machine;
    false_alarms: on other machines, in the whole run; inference_us: median time of a row, scaling and scoring included.
    """

    fault_machine: str | None = None
    fault_kind: str | None = None
    fault_channel: str | None = None
    fault_sigma: float | None = None
    fault_injected_at: str | None = None
    detected_after_s: float | None = None
    detected_channel: str | None = None
    detected_by: str | None = None
    alarm_id: str | None = None
    alarm_in_api_after_s: float | None = None
    alarms_before: int = 0
    false_alarms: int = 0
    model_bytes: int | None = None
    inference_us: float | None = None

    @property
    def is_good(self) -> bool:
        """Return whether nothing was injected, or it was found in time, in the right channel and alone."""
        if self.fault_injected_at is None:
            return self.fault_kind is None
        return (
            self.detected_after_s is not None
            and 0 <= self.detected_after_s <= FOUND_WITHIN_S
            and self.detected_channel == self.fault_channel
            and self.alarms_before == 0
        )


class Report(Told, frozen=True, kw_only=True):
    """What a run of the demo came to; sizes in MiB, times in seconds since the processes started.

    agent_rss_mib: without the children that fetch and try packages for half a second each; cloud_rss_mib: of all.
    """

    ok: bool
    readings_made: int
    readings_stored: int
    readings_lost: int
    readings_duplicated: int
    readings_altered: int
    readings_unsealed: int
    first_reading_after_s: float | None
    agent_rss_mib: float
    cloud_rss_mib: float
    seconds: float
    seed: int
    broker: str
    gateway_account: dict[str, int]
    interruptions: tuple[Interruption, ...] = ()
    unclean: tuple[SeriesCount, ...] = ()
    rows_served: int | None = None
    rows_stored: int | None = None
    rows_missing: int | None = None


class Facts(msgspec.Struct, frozen=True):
    """What the run itself measured, before anything was counted."""

    first_reading_after_s: float | None
    agent_rss_mib: float
    cloud_rss_mib: float
    seconds: float
    seed: int
    broker: str
    gateway_account: dict[str, int]
    interruptions: tuple[Interruption, ...]
    told: Told = Told()


def make_report(facts: Facts, account: Account, rows: Rows | None) -> Report:
    """Return the report; ok: all was stored once, as it was and in time, every row arrived, the fault was found."""
    total = account.total
    return Report(
        ok=is_ok(facts, total, rows),
        readings_made=total.made,
        readings_stored=total.stored,
        readings_lost=total.lost,
        readings_duplicated=total.duplicated,
        readings_altered=total.altered,
        readings_unsealed=total.unsealed,
        unclean=_unclean(account),
        rows_served=rows.served if rows else None,
        rows_stored=rows.stored if rows else None,
        rows_missing=rows.missing if rows else None,
        **{name: fact for name, fact in msgspec.structs.asdict(facts).items() if name != "told"},
        **msgspec.structs.asdict(facts.told),
    )


def is_ok(facts: Facts, total: Count, rows: Rows | None) -> bool:
    """Return whether the run kept every promise."""
    agent_kills = sum(1 for each in facts.interruptions if each.program == "agent")
    return (
        total.is_clean
        and facts.first_reading_after_s is not None
        and facts.gateway_account.get("lost", 1) == 0
        and facts.told.is_good
        and (rows is None or rows.is_complete)
        and (agent_kills > 0 or total.unsealed == 0)
    )


def _unclean(account: Account) -> tuple[SeriesCount, ...]:
    return tuple(
        SeriesCount(machine, tag, count.lost, count.duplicated, count.altered, count.unsealed)
        for (machine, tag), count in account.unclean.items()
    )


def write_report(path: Path, report: Report) -> None:
    """Write the report as JSON that a person can read."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
