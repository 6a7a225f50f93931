"""python -m tests.faults: plays the fault matrix and prints what became of every value.

    python -m tests.faults [--row NAME ...] [--random ROUNDS] [--seed N] [--times N] [--full] [--list]

The exit code is 0 where no row lost, duplicated, altered or made up a value.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from functools import partial

from tests.faults.play import Outcome, play_mixed, play_row
from tests.faults.rows import ROWS

COLUMNS = ("made", "stored", "buffered", "dropped", "unsealed", "lost", "duplicated", "altered", "phantom")
_LARGEST_SEED = 1 << 31


def main(arguments: Sequence[str]) -> int:
    """Play what is asked for and return the exit code."""
    options = _parser().parse_args(arguments)
    if options.list:
        _say("\n".join(f"{name:28}{_summary(name)}" for name in ROWS))
        return 0
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(_LARGEST_SEED)
    _say(f"{'row':24}" + "".join(f"{name:>11}" for name in COLUMNS) + f"{'seconds':>9}  seed")
    outcomes: list[Outcome] = []
    if options.random:
        outcomes.append(play_mixed(ROWS, rounds=options.random, seed=seed, tell=_say))
        _show(outcomes[-1])
    for name in options.row or ([] if options.random else ROWS):
        outcomes.append(play_row(name, ROWS[name], seed=seed, times=options.times, is_full=options.full))
        _show(outcomes[-1])
    wrong = [one.name for one in outcomes if not (one.is_clean or one.skipped)]
    _say(f"{len(outcomes)} rows, {len(wrong)} not clean{': ' if wrong else ''}{', '.join(wrong)}")
    return 1 if wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.faults", description="Play faults and count every value.")
    parser.add_argument("--row", action="append", choices=sorted(ROWS), metavar="NAME", help="only this one")
    parser.add_argument("--random", type=int, metavar="ROUNDS", help="mixed faults on one stage")
    parser.add_argument("--seed", type=int, help="repeat a run; drawn where none is given")
    parser.add_argument("--times", type=int, help="how often each row's fault happens")
    parser.add_argument("--full", action="store_true", help="faults as long and as often as in the field")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    return parser


def _summary(name: str) -> str:
    episode = ROWS[name].episode
    told = episode.func if isinstance(episode, partial) else episode
    return (told.__doc__ or "").strip().splitlines()[0]


def _show(outcome: Outcome) -> None:
    if outcome.skipped:
        _say(f"{outcome.name:24} not played here: {outcome.skipped}")
        return
    numbers = "".join(f"{number:11,}" for number in outcome.account.numbers())
    _say(f"{outcome.name:24}{numbers}{outcome.seconds:9.1f}  {outcome.seed}")
    if not outcome.is_clean:
        _say("\n".join([f"    {outcome.trouble or 'not clean'}; see {outcome.kept}"]))
        _say("\n".join(f"    {line}" for line in outcome.histories))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
