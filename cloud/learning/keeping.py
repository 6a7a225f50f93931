"""Keeping: what is known of a model as JSON, and arrays as npz without pickle, both ways."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cloud.errors import Invalid
from cloud.learning.algorithm import Learned, Settings, Task, read_settings

CARD = "model.json"
MAX_ARRAYS_BYTES = 512 * 1024 * 1024
"""Unpacked; what says that it is larger is refused before it is unpacked."""
Arrays = Mapping[str, NDArray[Any]]


class _Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    algorithm: str
    task: Task
    columns: tuple[str, ...]
    classes: tuple[str, ...]
    quantiles: tuple[float, ...]
    figures: dict[str, float]
    settings: dict[str, Any]
    levels: dict[str, tuple[str, ...]] = {}


def card_file(learned: Learned) -> bytes:
    """Return what is known of a model as JSON that people can read."""
    card = _Card(
        learned.algorithm,
        learned.task,
        learned.columns,
        learned.classes,
        learned.quantiles,
        dict(learned.figures),
        learned.settings.model_dump(mode="json"),
        dict(learned.levels),
    )
    return msgspec.json.format(msgspec.json.encode(card), indent=1)


def read_card(files: Mapping[str, bytes], algorithm: str, kind: type[Settings]) -> Learned:
    """Return what `card_file` wrote; raise Invalid where it is not this algorithm's."""
    try:
        card = msgspec.json.decode(read_file(files, CARD), type=_Card)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"{CARD}: {error}") from error
    if card.algorithm != algorithm:
        raise Invalid(f"{CARD}: the model is of {card.algorithm!r}, not of {algorithm!r}")
    settings = read_settings(kind, card.settings)
    return Learned(
        card.algorithm, card.task, card.columns, card.classes, settings, card.figures, card.quantiles, card.levels
    )


def read_file(files: Mapping[str, bytes], name: str) -> bytes:
    """Return one of the model's files; raise Invalid where it is missing."""
    if name not in files:
        raise Invalid(f"{name}: missing from the model's files")
    return files[name]


def arrays_file(arrays: Arrays) -> bytes:
    """Return the arrays as npz; the same arrays give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def read_arrays(data: bytes, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Return these arrays of an npz; raise Invalid where one is missing, damaged, pickled or too large."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MAX_ARRAYS_BYTES:
                raise Invalid(f"the model's arrays would take {size} bytes, over {MAX_ARRAYS_BYTES}")
            return {name: _array(archive, name) for name in names}
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError) as error:
        raise Invalid(f"the model's arrays cannot be read: {error}") from error


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    return np.lib.format.read_array(io.BytesIO(archive.read(f"{name}.npy")), allow_pickle=False)
