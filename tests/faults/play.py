"""Plays rows, and rounds of many rows on one stage, and says what came of them."""

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.supervise import ProgramFailed
from tests.faults.counting import Account
from tests.faults.ledger import Found
from tests.faults.missing import NotPlayable
from tests.faults.programs import Needs
from tests.faults.row import Row
from tests.faults.stage import Stage

COUNT_EVERY = 20
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a row; trouble: why it did not come to its end, empty where it did; kept: where its files are.

    skipped: what this machine lacks for the row.
    """

    name: str
    seed: int
    account: Account
    seconds: float
    histories: Sequence[str] = ()
    trouble: str = ""
    kept: Path | None = None
    skipped: str = ""

    @property
    def is_clean(self) -> bool:
        """Return whether the row came to its end and every value is accounted for."""
        return self.account.is_clean and not self.trouble


def play_row(name: str, row: Row, *, seed: int, times: int | None = None, is_full: bool = False) -> Outcome:
    """Play a row on a stage of its own; the files stay where something is wrong.

    It is counted twice: first while all runs, since a new connection mends what one that lasts has believed wrongly.
    """
    rng = _rng(seed, name)

    def play(stage: Stage) -> Found:
        safe_s = 0.0
        usual = row.full_times if is_full else None
        for number in range(times or usual or row.times):
            stage.journal.tell(f"{name}, {number + 1}")
            row.episode(stage, rng)
            safe_s = stage.recover()
        return stage.count(until_s=safe_s)

    return _on_stage(name, Stage(_directory(name), row.needs, seed, is_full=is_full), play)


def play_mixed(rows: Mapping[str, Row], *, rounds: int, seed: int, tell: Tell) -> Outcome:
    """Play so many rounds on one stage, each of a row that is drawn; what was made is counted every few rounds."""
    rng = _rng(seed, "mixed")
    mixed = {name: row for name, row in rows.items() if row.mixes}

    def play(stage: Stage) -> Found:
        for number in range(1, rounds + 1):
            name = rng.choice(sorted(mixed))
            stage.journal.tell(f"round {number}: {name}")
            mixed[name].episode(stage, random.Random(f"{seed} {number}"))
            safe_s = stage.recover()
            if number % COUNT_EVERY == 0 or number == rounds:
                found = stage.count(until_s=safe_s)
                tell(f"{number} rounds: {found.verdict.account}")
                if not found.verdict.account.is_clean:
                    break
        return found

    return _on_stage("mixed", Stage(_directory("mixed"), Needs(), seed), play)


def _on_stage(name: str, empty: Stage, play: Callable[[Stage], Found]) -> Outcome:
    begun_s = time.monotonic()
    account, trouble = Account(), ""
    histories: Sequence[str] = ()
    try:
        with empty as stage:
            found = play(stage)
            if found.verdict.account.is_clean:
                stage.settle()
                found = stage.count()
            account, histories = found.verdict.account, found.histories
    except (AssertionError, OSError, RuntimeError, LookupError, ProgramFailed) as error:
        trouble = f"{type(error).__name__}: {error}"
    except NotPlayable as error:
        return Outcome(name, empty.seed, account, time.monotonic() - begun_s, skipped=str(error))
    outcome = Outcome(name, empty.seed, account, time.monotonic() - begun_s, histories, trouble, empty.directory)
    if outcome.is_clean:
        shutil.rmtree(empty.directory, ignore_errors=True)
    return outcome


def _directory(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"lineside-{name}-"))


def _rng(seed: int, name: str) -> random.Random:
    return random.Random(f"{seed} {name}")
