"""Shelf: packages and slots on disk. A slot's file names its packages by sha256, so one rename changes all of it.

DIRECTORY/wanted.json                    the newest message of what is wanted
DIRECTORY/devices/DEVICE/slot.json       what serves, what did before, what is in the shadow
DIRECTORY/devices/DEVICE/SHA256.lsp      a package
DIRECTORY/tuf, DIRECTORY/incoming        of the fetching child
Invariant: whatever ends this process or the power, each file is there whole, as it was before or as it is after.
"""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from edge_agent.errors import AgentError
from edge_agent.models.slot import Kept, Slot
from protocols.errors import InvalidContent, ProtocolError
from protocols.package import MAX_PACKAGE_BYTES, Package, unpack_package
from protocols.wanted import MAX_WANTED_BYTES, Wanted, decode_wanted, encode_wanted

MAX_SLOT_BYTES = 64 * 1024


class ShelfUnusable(AgentError):
    """The models' directory, or a file in it, cannot be read or written."""


class Shelf:
    """One directory of models; not for two agents at once."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._devices = directory / "devices"

    def wanted(self) -> Wanted | None:
        """Return what was wanted when this gateway last heard, None where it never did; raise ShelfUnusable."""
        data = _read(self.directory / "wanted.json", MAX_WANTED_BYTES)
        if data is None:
            return None
        try:
            return decode_wanted(data)
        except InvalidContent as error:
            raise ShelfUnusable(f"{self.directory}/wanted.json: {error}") from error

    def keep_wanted(self, wanted: Wanted) -> None:
        """Keep the message over restarts; raise ShelfUnusable."""
        _write(self.directory / "wanted.json", encode_wanted(wanted))

    def slot(self, device: str) -> Slot:
        """Return a Device's slot, an empty one where it has none; raise ShelfUnusable."""
        path = self._devices / device / "slot.json"
        data = _read(path, MAX_SLOT_BYTES)
        try:
            return Slot() if data is None else msgspec.json.decode(data, type=Slot)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ShelfUnusable(f"{path}: {error}") from error

    def keep_slot(self, device: str, slot: Slot) -> None:
        """Make this the Device's slot, in one step, and let go of packages that it does not name; ShelfUnusable."""
        place = self._devices / device
        _write(place / "slot.json", msgspec.json.encode(slot))
        needed = {"slot.json", *(f"{name}.lsp" for name in slot.files)}
        for file in [file for file in place.iterdir() if file.name not in needed]:
            with suppress(OSError):
                file.unlink()

    def put(self, device: str, data: bytes) -> str:
        """Keep a package's bytes for a Device and return their sha256; raise ShelfUnusable."""
        name = sha256(data).hexdigest()
        _write(self._devices / device / f"{name}.lsp", data)
        return name

    def package(self, device: str, kept: Kept) -> Package:
        """Return a package as it was kept; raise ShelfUnusable where it is gone or was altered."""
        path = self._devices / device / f"{kept.sha256}.lsp"
        data = _read(path, MAX_PACKAGE_BYTES)
        if data is None:
            raise ShelfUnusable(f"{path} is gone")
        if sha256(data).hexdigest() != kept.sha256:
            raise ShelfUnusable(f"{path} was altered")
        try:
            return unpack_package(data)
        except ProtocolError as error:
            raise ShelfUnusable(f"{path}: {error}") from error

    def devices(self) -> list[str]:
        """Return every Device that has a slot."""
        with suppress(OSError):
            return sorted(place.name for place in self._devices.iterdir() if (place / "slot.json").is_file())
        return []


def _read(path: Path, most: int) -> bytes | None:
    """Return the file, None where there is none; raise ShelfUnusable, also beyond the bound."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ShelfUnusable(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > most:
        raise ShelfUnusable(f"{path} is over {most} bytes")
    return data


def _write(path: Path, data: bytes) -> None:
    """Let the file be there whole or not at all; raise ShelfUnusable."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise ShelfUnusable(f"{path} cannot be written: {error.strerror}") from error


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
