"""The master secret from which every webhook's secret is derived: a file of the data directory, made once."""

import os
import secrets
from pathlib import Path

from cloud.errors import Unavailable

_BYTES = 32


def read_master(path: Path) -> bytes:
    """Return the master secret, made at the first call, by whichever process is first; raise Unavailable."""
    try:
        if not path.exists():
            _make(path)
        found = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"the master secret of webhooks cannot be used: {path}: {error}") from error
    if len(found) != _BYTES:
        raise Unavailable(f"the master secret of webhooks is damaged: {path} has not {_BYTES} bytes")
    return found


def _make(path: Path) -> None:
    """Write it whole under another name, then give it its own unless somebody was faster."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
