"""The gateway's own models on disk, so that a restart needs no learning; one Package file a Device.

DIRECTORY/own/DEVICE.lsp          the newest fit
DIRECTORY/own/DEVICE.fleet.json   scale and threshold that a fleet's model learned here
DIRECTORY/own/DEVICE.recalibration.json, DEVICE.fleet.recalibration.json   what either saw of rows since then
Invariant: whatever ends this process or the power, each file is whole, as it was before or as it is after.
"""

import os
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_agent.errors import ModelsUnusable
from protocols.errors import ProtocolError
from protocols.package import MAX_PACKAGE_BYTES, Card, Lineage, Package, SelfTest, unpack_package
from protocols.scoring.model import Fitted, Scoring
from protocols.scoring.network import Network
from protocols.scoring.recalibration import MOST_BLOCKS, Curve
from protocols.scoring.scorer import Scorer
from protocols.scoring.scores import BODY_POINTS
from protocols.wanted import OWN

MAX_FLEET_BYTES = 1024 * 1024
MAX_RECALIBRATION_BYTES = 64 * 1024
BlockCurve = Annotated[Curve, msgspec.Meta(min_length=BODY_POINTS, max_length=BODY_POINTS)]
TESTED_ROWS = 100


class FleetScoring(msgspec.Struct, frozen=True):
    """What one asset's rows made of a fleet's model."""

    name: str
    version: int
    scoring: Scoring


class Recalibration(msgspec.Struct, frozen=True):
    """What blocks of rows after a fit came to; threshold: of the fit that they belong to; at_us: of the last block."""

    name: str
    version: int
    threshold: float
    at_us: int
    blocks: Annotated[tuple[BlockCurve, ...], msgspec.Meta(max_length=MOST_BLOCKS)]

    def is_of(self, name: str, version: int, fitted: Scoring) -> bool:
        """Return whether it belongs to this fit."""
        return (self.name, self.version, self.threshold) == (name, version, fitted.threshold)


class OwnModels:
    """One directory; not for two agents at once. Every method raises ModelsUnusable where the disk or a file fails."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "own"

    def load(self, device: str) -> Package | None:
        """Return what was fitted last for a Device, None where nothing was."""
        path = self._directory / f"{device}.lsp"
        data = _read(path, MAX_PACKAGE_BYTES)
        try:
            return None if data is None else unpack_package(data)
        except ProtocolError as error:
            raise ModelsUnusable(f"{path}: {error}") from error

    def keep(self, device: str, package: Package) -> None:
        """Keep a fit in place of the one before."""
        _write(self._directory / f"{device}.lsp", package.pack())

    def load_fleet(self, device: str) -> FleetScoring | None:
        """Return what a Device's rows made of a fleet's model, None where nothing was kept."""
        path = self._directory / f"{device}.fleet.json"
        data = _read(path, MAX_FLEET_BYTES)
        try:
            return None if data is None else msgspec.json.decode(data, type=FleetScoring)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ModelsUnusable(f"{path}: {error}") from error

    def load_recalibration(self, device: str, *, is_fleet: bool) -> Recalibration | None:
        """Return what was seen since the fit of the own model, or of a fleet's one, None where nothing was kept."""
        path = self._recalibration(device, is_fleet=is_fleet)
        data = _read(path, MAX_RECALIBRATION_BYTES)
        try:
            return None if data is None else msgspec.json.decode(data, type=Recalibration)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ModelsUnusable(f"{path}: {error}") from error

    def keep_recalibration(self, device: str, kept: Recalibration, *, is_fleet: bool) -> None:
        """Keep what was seen since a fit."""
        _write(self._recalibration(device, is_fleet=is_fleet), msgspec.json.encode(kept))

    def _recalibration(self, device: str, *, is_fleet: bool) -> Path:
        return self._directory / f"{device}{'.fleet' if is_fleet else ''}.recalibration.json"

    def keep_fleet(self, device: str, fleet: FleetScoring) -> None:
        """Keep what a Device's rows made of a fleet's model."""
        _write(self._directory / f"{device}.fleet.json", msgspec.json.encode(fleet))


def pack_own(
    fitted: Fitted, network: Network, rows: NDArray[np.float64], *, version: int, at_us: int, dataset: str
) -> Package:
    """Return the package of a fit; rows (n, channels): those it was fitted on, of which the last ones test it.

    dataset: what it holds for.
    """
    tested = rows[-TESTED_ROWS:]
    score = float(Scorer(fitted.scoring, network).take(tested, may_adapt=False).score[-1])
    card = Card(
        name=OWN,
        version=version,
        scoring=fitted.scoring,
        self_test=SelfTest(tuple(map(tuple, tested.tolist())), (score,) if np.isfinite(score) else ()),
        lineage=Lineage(made_at_us=at_us, made_by="gateway", algorithm="whitening", rows=len(rows), dataset=dataset),
        metrics=dict(fitted.figures),
        network_bytes=len(fitted.network),
        network_sha256=sha256(fitted.network).hexdigest(),
    )
    return Package(card, fitted.network)


def _read(path: Path, most: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelsUnusable(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise ModelsUnusable(f"{path} is over {most} bytes")
    return data


def _write(path: Path, data: bytes) -> None:
    """Put a whole file in place of the one before, durably."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ModelsUnusable(f"{path} cannot be written: {error.strerror}") from error
