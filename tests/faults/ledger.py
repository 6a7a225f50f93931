"""The ledger tool: says for every value that a plant made where it is, and tells the history of those that are wrong.

python -m tests.faults.ledger TRUTH READINGS_DB [GATEWAY=BUFFER_DB ...]
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy.counting import Kill
from tests.faults.counting import Excuses, Shown, Verdict, count
from tests.faults.evidence import CloudFile, Held, held, made, waiting
from tests.faults.journal import Journal, Line

TOLD_AT_MOST = 5
"""Of each thing that is wrong."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the evidence is; buffers: by the gateway whose they are, of agents that are not running."""

    truth: Path
    readings: Path
    buffers: Sequence[tuple[str, Path]] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What is excused; see `Excuses`."""

    kills: Sequence[Kill] = ()
    until_s: float = float("inf")
    slack_s: float = 5.0
    pauses: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The verdict and, for each wrong value that is told of, what is known of it, line by line."""

    verdict: Verdict
    histories: Sequence[str] = field(default_factory=tuple)


def settle(files: Files, terms: Terms, journal: Journal | None = None) -> Found:
    """Return what became of every value; journal: of the faults, for the histories."""
    batches = {gateway: held(path) for gateway, path in files.buffers if path.exists()}
    everything = [batch for of_one in batches.values() for batch in of_one]
    with CloudFile(files.readings) as cloud:
        books = cloud.books()
        excuses = Excuses(terms.kills, waiting(everything), books.dropped, terms.until_s, terms.slack_s, terms.pauses)
        verdict = count(made(files.truth), cloud.values(), excuses)
        # The store keeps one reading for equal series and time, so that only its books show what came under two keys.
        again = replace(verdict.account, duplicated=verdict.account.duplicated + books.again)
        histories = _histories(verdict, cloud, batches, journal)
    return Found(Verdict(again, verdict.wrong), histories)


def _histories(
    verdict: Verdict, cloud: CloudFile, batches: Mapping[str, Sequence[Held]], journal: Journal | None
) -> list[str]:
    told: list[str] = []
    for what, values in verdict.wrong.items():
        for one in values[:TOLD_AT_MOST]:
            told.append(f"{what}: {'/'.join(one.series)} = {one.value!r} at {one.at_s:.3f}")
            told += [f"    {line}" for line in _of_batches(one, cloud, batches)]
            told += [f"    {line.at_s - one.at_s:+8.3f} s {line.words}" for line in _faults(one, journal)]
        if len(values) > TOLD_AT_MOST:
            told.append(f"{what}: and {len(values) - TOLD_AT_MOST} more")
    return told


def _of_batches(one: Shown, cloud: CloudFile, batches: Mapping[str, Sequence[Held]]) -> list[str]:
    found: list[str] = []
    settled = cloud.books().settled
    for gateway, of_one in batches.items():
        for batch in of_one:
            if any(value.series == one.series and value.value == one.value for value in batch.values):
                is_settled = batch.key.seq in settled.get((gateway, batch.key.epoch), ())
                found.append(
                    f"{gateway} {batch.key.epoch:016x}/{batch.key.seq}: {'' if batch.is_acked else 'not '}acked, "
                    f"{'' if is_settled else 'not '}settled in the store's books"
                )
                found += cloud.told_of(gateway, batch.key)
    return found or ["in no batch that a buffer still holds"]


def _faults(one: Shown, journal: Journal | None) -> Sequence[Line]:
    return [] if journal is None else journal.around(one.at_s)


def main(arguments: Sequence[str]) -> int:
    """Print the account of files that nobody writes to; return 0 where it is clean."""
    truth, readings, *buffers = arguments
    pairs = [(gateway, Path(path)) for gateway, _, path in (one.partition("=") for one in buffers)]
    found = settle(Files(Path(truth), Path(readings), pairs), Terms())
    sys.stdout.write("\n".join([str(found.verdict.account), *found.histories, ""]))
    return 0 if found.verdict.account.is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
