"""Measures the cloud: `python -m tests.bench.cloud`; ingest first, then the store with its queries, then the API.

Each is a program of its own, `tests.bench.ingest`, `tests.bench.store` and `tests.bench.rest`, and runs in a process of
its own here, so that none inherits another's memory.
"""

import subprocess
import sys

PARTS = ("tests.bench.ingest", "tests.bench.store", "tests.bench.rest")


def main() -> None:
    """Run every part, or those that are named, and print what they find; exit with 1 where one failed."""
    wanted = [part for part in PARTS if part.rpartition(".")[2] in sys.argv[1:]] or PARTS
    codes = [subprocess.run([sys.executable, "-m", part], check=False).returncode for part in wanted]
    sys.exit(1 if any(codes) else 0)


if __name__ == "__main__":
    main()
