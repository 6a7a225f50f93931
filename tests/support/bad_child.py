"""A child that does what a bad model file could make it do: `python -m tests.support.bad_child`, an errand on stdin."""

import os
import signal
import sys
from pathlib import Path

from edge_agent.models.errand import TrialErrand, Tried, run_errand
from protocols.package import unpack_package
from protocols.scoring.loader import load_network


def misbehave(errand: TrialErrand) -> Tried:
    """Do what the file says; run its network unseen where it is a package."""
    data = Path(errand.file).read_bytes()
    match data:
        case b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case b"memory":
            bytearray(4 * 2**30)
        case b"talk":
            while True:
                sys.stderr.write("more and more\n" * 1000)
        case b"environment":
            raise RuntimeError(" ".join(sorted(os.environ))[-150:] + " PATH" * ("PATH" in os.environ))
        case _:
            load_network(unpack_package(data).network)
    return Tried()


if __name__ == "__main__":
    run_errand(TrialErrand, misbehave, memory_bytes=2**30)
