"""Signing: the repository of packages for those who seldom publish; its library is loaded when something is signed."""

from pathlib import Path

from cloud.ports import Clock


class Signing:
    """Publishes as the repository does, which is loaded in a quarter of a second when it is first needed."""

    def __init__(self, place: Path, clock: Clock) -> None:
        self._place = place
        self._clock = clock

    def publish(self, path: str, data: bytes) -> str:
        """Return the sha256; raise Invalid, Conflict, or Unavailable without keys."""
        from cloud.fleet.repository import PackageRepository  # noqa: PLC0415 see above

        return PackageRepository(self._place, self._clock).publish(path, data)
