"""Signing renews when the repository would, and asks nothing of it before."""

from pathlib import Path

import pytest

from cloud.errors import Unavailable
from cloud.fleet.package_files import TIMESTAMP_LIFE
from cloud.fleet.repository import PackageRepository
from cloud.fleet.signing import Signing
from tests.support.cloud_clock import HandClock

HALF_S = TIMESTAMP_LIFE.total_seconds() / 2


class Place:
    """A directory of packages with a repository, and who signs there."""

    def __init__(self, directory: Path) -> None:
        self.clock = HandClock(1_900_000_000_000_000)
        self.directory = directory / "packages"
        self.signing = Signing(self.directory, self.clock)
        PackageRepository(self.directory, self.clock).create(directory / "offline")

    @property
    def timestamp(self) -> Path:
        """Return the file that is written with whatever is signed."""
        return self.directory / "metadata" / "timestamp.json"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_nothing_is_renewed_where_nobody_made_keys(tmp_path: Path) -> None:
    assert not Signing(tmp_path / "packages", HandClock()).refresh()


def test_signatures_are_renewed_once_half_of_their_time_is_over(place: Place) -> None:
    assert not place.signing.refresh()
    place.clock.move(HALF_S - 2)
    assert not place.signing.refresh()
    place.clock.move(4)
    assert place.signing.refresh()
    assert not place.signing.refresh()


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"signed": {"expires": "2030-01-01T00:00:00"}}', b"\xff\x00"])
def test_a_damaged_timestamp_is_told_of(place: Place, damage: bytes) -> None:
    place.timestamp.write_bytes(damage)
    with pytest.raises(Unavailable, match=r"timestamp\.json is missing or damaged"):
        place.signing.refresh()


def test_a_lost_timestamp_is_told_of(place: Place) -> None:
    place.timestamp.unlink()
    with pytest.raises(Unavailable, match=r"timestamp\.json is missing or damaged"):
        place.signing.refresh()
