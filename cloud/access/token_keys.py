"""TokenKeys: the secrets that sign tokens, in one file that only this user reads; the newest signs, older ones verify.

All API processes share the file; each looks once a second whether it changed.
"""

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from cloud.domain.times import to_datetime
from cloud.errors import Unavailable
from cloud.ports import Clock

_SECRET_BYTES = 32
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, repr=False)
class TokenKey:
    """One secret; id: what tokens name it by."""

    id: str
    secret: str
    made_at: datetime


class TokenKeys:
    """The keys in one file; safe to use from several threads."""

    def __init__(self, path: Path, clock: Clock, draw: Callable[[int], str]) -> None:
        """Draw gives that many random bytes in hex."""
        self._path = path
        self._clock = clock
        self._draw = draw
        self._read: tuple[float, tuple[int, int], Mapping[str, TokenKey]] | None = None

    def create(self) -> bool:
        """Make the file with a first key; return False, and leave it alone, where there is one already."""
        descriptor = -1
        with suppress(FileExistsError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        if descriptor < 0:
            return False
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(_written([self._drawn()]))
            file.flush()
            os.fsync(file.fileno())
        return True

    def rotate(self, *, keep_for: timedelta | None) -> TokenKey:
        """Sign with a new key from now on; older ones verify for `keep_for` more, None: not at all. Raise OSError."""
        known, now = list(self._load().values()), to_datetime(self._clock.now_us())
        made = self._drawn()
        followed = zip(known, [*known[1:], made], strict=True)
        kept = [key for key, next_one in followed if keep_for is not None and now - next_one.made_at <= keep_for]
        with NamedTemporaryFile("w", dir=self._path.parent, prefix=".token-keys-", delete=False) as file:
            file.write(_written([*kept, made]))
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).replace(self._path)
        self._read = None
        return made

    def newest(self) -> TokenKey:
        """Return the key that signs; raise Unavailable."""
        return list(self._known().values())[-1]

    def find(self, key_id: str) -> TokenKey | None:
        """Return the key of this id; raise Unavailable."""
        return self._known().get(key_id)

    def _known(self) -> Mapping[str, TokenKey]:
        now_s, read = self._clock.monotonic_s(), self._read
        if read is not None and now_s < read[0]:
            return read[2]
        try:
            facts = self._path.stat()
            stamp = (facts.st_mtime_ns, facts.st_ino)
            keys = read[2] if read is not None and read[1] == stamp else self._load()
        except OSError as error:
            told = f"{self._path.name} cannot be read, so nobody can log in: lineside-cloud migrate"
            raise Unavailable(told, code="NO_TOKEN_KEYS") from error
        self._read = (now_s + _LOOK_EVERY_S, stamp, keys)
        return keys

    def _load(self) -> Mapping[str, TokenKey]:
        try:
            found: list[dict[str, Any]] = json.loads(self._path.read_text(encoding="ascii"))["keys"]
            keys = [TokenKey(one["id"], one["secret"], datetime.fromisoformat(one["made_at"])) for one in found]
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"{self._path.name} is damaged: bring it back, or delete it and migrate") from error
        if not keys:
            raise Unavailable(f"{self._path.name} holds no key: delete it and migrate")
        return {key.id: key for key in keys}

    def _drawn(self) -> TokenKey:
        return TokenKey(self._draw(8), self._draw(_SECRET_BYTES), to_datetime(self._clock.now_us()))


def _written(keys: list[TokenKey]) -> str:
    rows = [{"id": key.id, "secret": key.secret, "made_at": key.made_at.isoformat()} for key in keys]
    return json.dumps({"keys": rows}, indent=1)
