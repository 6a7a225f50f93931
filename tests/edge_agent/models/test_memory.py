"""Fetching and trying leave nothing behind in the agent: no library, and no memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.package_server import PackageServer
from tests.support.packages import make_package

SCRIPT = """
import asyncio, os, sys
from pathlib import Path
from edge_agent.models.child import Children
from edge_agent.models.errand import FetchAnswer, FetchErrand, TrialErrand, Tried

directory, url, root, key, channels = sys.argv[1:]

def resident_bytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

async def bring():
    children = Children(os.environ)
    errand = FetchErrand(directory=directory, url=url, root=root, key=key, paths=("pump/1.lsp",), limit_s=30)
    (found,) = (await children.send("edge_agent.models.fetch", errand, FetchAnswer)).found
    trial = TrialErrand(file=found.file, name="pump", version=1, channels=tuple(channels.split(",")),
                        deadline_ms=1000, limit_s=30)
    tried = await children.send("edge_agent.models.trial", trial, Tried)
    assert found.reason is None and tried.reason is None, (found, tried)

async def main():
    await bring()
    before = resident_bytes()
    for _ in range(3):
        await bring()
    print(resident_bytes() - before, *sorted({name.partition(".")[0] for name in sys.modules}))

asyncio.run(main())
"""
HEAVY = {"tuf", "securesystemslib", "cryptography", "urllib3", "ai_edge_litert", "tflite_runtime", "numpy"}


@pytest.mark.slow
def test_bringing_packages_leaves_no_library_and_no_memory_behind(tmp_path: Path) -> None:
    with PackageServer(tmp_path / "cloud") as server:
        package = make_package("pump", 1)
        server.repository.publish("pump/1.lsp", package.pack())
        told = [
            str(tmp_path / "models"),
            server.url,
            str(server.root),
            "key-of-gw-1",
            ",".join(package.card.scoring.channels),
        ]
        outcome = subprocess.run([sys.executable, "-c", SCRIPT, *told], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    grown, *imported = outcome.stdout.split()
    assert int(grown) < 1024 * 1024
    assert HEAVY.isdisjoint(imported)
