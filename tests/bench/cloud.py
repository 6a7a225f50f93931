"""Measures the cloud: `python -m tests.bench.cloud`; ingest first, then the store with its queries.

Each is a program of its own, `tests.bench.ingest` and `tests.bench.store`, and runs in a process of its own here, so
that neither inherits the other's memory.
"""

import subprocess
import sys

PARTS = ("tests.bench.ingest", "tests.bench.store")


def main() -> None:
    """Run every part, or those that are named, and print what they find; exit with 1 where one failed."""
    wanted = [part for part in PARTS if part.rpartition(".")[2] in sys.argv[1:]] or PARTS
    codes = [subprocess.run([sys.executable, "-m", part], check=False).returncode for part in wanted]
    sys.exit(1 if any(codes) else 0)


if __name__ == "__main__":
    main()
