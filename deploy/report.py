"""The demo's report: what was made, what is stored, and whether that is the same."""

from pathlib import Path

import msgspec

from deploy.account import Account
from deploy.counting import Count
from deploy.rows import Rows


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


class Report(msgspec.Struct, frozen=True):
    """What a run of the demo came to; sizes in MiB, times in seconds since the processes started."""

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


def make_report(facts: Facts, account: Account, rows: Rows | None) -> Report:
    """Return the report; ok: all was stored once and as it was, in time, and every row of a recording arrived."""
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
        **msgspec.structs.asdict(facts),
    )


def is_ok(facts: Facts, total: Count, rows: Rows | None) -> bool:
    """Return whether the run kept every promise."""
    agent_kills = sum(1 for each in facts.interruptions if each.program == "agent")
    return (
        total.is_clean
        and facts.first_reading_after_s is not None
        and facts.gateway_account.get("lost", 1) == 0
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
