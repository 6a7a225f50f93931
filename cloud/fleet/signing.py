"""Signing: the repository of packages for those who seldom sign; its library is loaded when something is signed."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from cloud.domain.times import to_datetime
from cloud.errors import NotFound, Unavailable
from cloud.fleet.package_files import TIMESTAMP_LIFE, PackageFiles
from cloud.ports import Clock


class _Part(msgspec.Struct):
    expires: Annotated[datetime, msgspec.Meta(tz=True)]


class _Timestamp(msgspec.Struct):
    signed: _Part


class Signing:
    """Publishes and renews as the repository does, which is loaded in a quarter of a second when it is first needed."""

    def __init__(self, place: Path, clock: Clock) -> None:
        self._place = place
        self._files = PackageFiles(place)
        self._clock = clock

    def publish(self, path: str, data: bytes) -> str:
        """Return the sha256; raise Invalid, Conflict, or Unavailable without keys."""
        from cloud.fleet.repository import PackageRepository  # noqa: PLC0415 see above

        return PackageRepository(self._place, self._clock).publish(path, data)

    def refresh(self) -> bool:
        """Renew what this server signs where it is time; return whether anything was; raise Unavailable without keys.

        The timestamp lives shortest and is signed anew with whatever else is: while it is young, nothing is due.
        """
        if not self._files.newest_root() or self._is_young():
            return False
        from cloud.fleet.repository import PackageRepository  # noqa: PLC0415 see above

        return PackageRepository(self._place, self._clock).refresh()

    def _is_young(self) -> bool:
        try:
            expires = msgspec.json.decode(self._files.metadata("timestamp.json"), type=_Timestamp).signed.expires
        except (msgspec.DecodeError, NotFound, Unavailable):
            return False  # the repository says what is wrong with it
        return expires - to_datetime(self._clock.now_us()) >= TIMESTAMP_LIFE / 2
