"""Gives the demo's cloud a past: models of the plant's machines, learned from twenty healthy minutes before it began.

    python -m deploy.teach CLOUD-CONFIG PLANT SEED FOLDER

Leaves in FOLDER what a gateway is enrolled with: `root.json`, and `gateway.key`, an API key that may read packages.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cloud.access.keys import Keys
from cloud.clock import SystemClock
from cloud.config import load_settings
from cloud.domain.scopes import Scope
from cloud.fleet.package_files import PackageFiles
from cloud.fleet.signing import Signing
from cloud.learning.packaging import About, make_package
from cloud.learning.registry import Registry
from cloud.records.database import Records
from cloud.storage.files import DirectoryFiles
from deploy.line import GATEWAY
from firmware_sim.cli import PLANTS
from firmware_sim.plant import MachineSettings, load_plant
from firmware_sim.sources import KINDS, Simulation
from protocols.package import Lineage, Package
from protocols.scoring.fit import fit
from protocols.scoring.loader import load_network

HISTORY_S = 1200.0
BY = "demo"


def teach(config: Path, plant: str, seed: int, folder: Path) -> None:
    """Put a package of each machine into the registry of an installation that stands still, and enrol the gateway."""
    settings, clock = load_settings(config), SystemClock()
    with closing(Records(settings.records_url)) as records:
        files = DirectoryFiles(settings.files_path)
        registry = Registry(records, files, clock, Signing(settings.packages_path, clock))
        for package in packages(plant, seed):
            registry.add_package(package.pack(), by=BY)
        key, _ = Keys(records, clock).create(GATEWAY, [Scope.MODELS_READ], by=BY)
    (folder / "gateway.key").write_text(str(key))
    (folder / "root.json").write_bytes(PackageFiles(settings.packages_path).metadata("1.root.json"))


def packages(plant: str, seed: int) -> Iterator[Package]:
    """Yield a package of each machine of a plant, learned from rows that came of another seed than the demo's."""
    ends_us = time.time_ns() // 1000
    for machine in load_plant(PLANTS / f"{plant}.yaml").machines:
        rows = history(machine, seed)
        fitted = fit(rows, list(KINDS[machine.type]), period_s=machine.period_s)
        lineage = Lineage(
            made_at_us=ends_us,
            made_by=BY,
            algorithm="whitening",
            rows=len(rows),
            from_us=ends_us - round(HISTORY_S * 1e6),
            to_us=ends_us,
            devices=(f"{GATEWAY}/{machine.id}",),
        )
        about = About(machine.id, lineage, dict(fitted.figures))
        yield make_package(fitted, load_network(fitted.network), rows, about)


def history(machine: MachineSettings, seed: int) -> NDArray[np.float64]:
    """Return the rows of a healthy machine, shape (n, channels)."""
    source = Simulation(machine.type, seed=f"{seed}/before/{machine.id}", period_s=machine.period_s)
    rows = (source.next() for _ in range(round(HISTORY_S / machine.period_s)))
    return np.array([[float(row[name]) for name in KINDS[machine.type]] for row in rows])


def main() -> None:
    """Run the command line."""
    config, plant, seed, folder = sys.argv[1:]
    teach(Path(config), plant, int(seed), Path(folder))


if __name__ == "__main__":
    main()
