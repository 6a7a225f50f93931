"""What the package repository owes to every TUF client, asked by the real one of python-tuf."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from tuf.api.exceptions import ExpiredMetadataError, LengthOrHashMismatchError, RepositoryError, UnsignedMetadataError

from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid, NotFound, Unavailable
from cloud.fleet.package_files import PackageFiles
from cloud.fleet.repository import LIFE, PackageRepository
from tests.support.cloud_clock import HandClock
from tests.support.package_client import PackageClient

PATH, BODY = "pump/1.lsp", b"LSP1 a package"
NOW_US = 1_900_000_000_000_000
DAY_S = 24 * 3600.0


class House:
    """A repository in a directory, its clock, and clients that were enrolled with its root."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.place = directory / "packages"
        self.offline = directory / "offline-keys"
        self.clock = HandClock(NOW_US)
        self.repository = PackageRepository(self.place, self.clock)

    def client(self, name: str = "gw") -> PackageClient:
        return PackageClient(self.place, self.directory / name, self.repository.root())

    def fetch(self, client: PackageClient, path: str = PATH) -> bytes | None:
        return client.fetch(path, at=to_datetime(self.clock.now_us()))

    def newest(self, role: str) -> Path:
        return max((self.place / "metadata").glob(f"*.{role}.json"), key=lambda one: int(one.name.split(".")[0]))


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    assert made.repository.create(made.offline)
    return made


def test_what_is_published_comes_out_verified(house: House) -> None:
    house.repository.publish(PATH, BODY)
    assert house.fetch(house.client()) == BODY


def test_a_path_that_nobody_published_is_none(house: House) -> None:
    assert house.fetch(house.client()) is None


def test_the_next_root_is_asked_for_and_may_be_missing(house: House) -> None:
    client = house.client()
    house.fetch(client)
    assert "http://cloud/metadata/2.root.json" in client.fetcher.asked


def test_publishing_twice_changes_nothing_and_other_content_is_refused(house: House) -> None:
    house.repository.publish(PATH, BODY)
    before = house.newest("snapshot")
    assert house.repository.publish(PATH, BODY)
    assert house.newest("snapshot") == before
    with pytest.raises(Conflict, match=r"pump/1\.lsp"):
        house.repository.publish(PATH, b"other")
    assert house.fetch(house.client()) == BODY


@pytest.mark.parametrize(
    "path", ["../x/1.lsp", "pump/0.lsp", "pump/1.tar", "a/b/1.lsp", "pump/1.lsp\n", "Pump/1.lsp", ""]
)
def test_a_path_of_another_form_is_refused_by_name(house: House, path: str) -> None:
    with pytest.raises(Invalid, match="path: "):
        house.repository.publish(path, BODY)


@pytest.mark.parametrize("days", [1, 30, 365])
def test_a_worker_that_renews_keeps_packages_available(house: House, days: int) -> None:
    house.repository.publish(PATH, BODY)
    client = house.client()
    for _ in range(days):
        house.clock.move(DAY_S)
        house.repository.refresh()
    assert house.fetch(client) == BODY


def test_nothing_is_renewed_before_half_of_its_time_is_over(house: House) -> None:
    assert not house.repository.refresh()
    house.clock.move(LIFE["timestamp"].total_seconds() * 0.51)
    assert house.repository.refresh()
    assert not house.repository.refresh()


def test_without_a_worker_packages_expire(house: House) -> None:
    house.repository.publish(PATH, BODY)
    client = house.client()
    house.clock.move(LIFE["timestamp"].total_seconds() + 1)
    with pytest.raises(ExpiredMetadataError):
        house.fetch(client)


@pytest.mark.parametrize("online", [False, True])
def test_a_rotated_root_is_followed_by_old_clients_and_new_ones(house: House, online: bool) -> None:  # noqa: FBT001 a case
    house.repository.publish(PATH, BODY)
    old = house.client("old")
    assert house.fetch(old) == BODY
    assert house.repository.rotate(house.offline, online=online) == 2
    house.repository.publish("pump/2.lsp", b"second")
    assert [house.fetch(one, "pump/2.lsp") for one in (old, house.client("new"))] == [b"second"] * 2
    assert house.repository.rotate(house.offline, online=online) == 3
    assert house.fetch(old) == BODY


def test_what_a_rotation_writes_before_the_new_root_holds_under_the_old_one(house: House) -> None:
    house.repository.publish(PATH, BODY)
    client = house.client()
    house.repository.rotate(house.offline, online=True)
    (house.place / "metadata" / "2.root.json").unlink()
    assert house.fetch(client) == BODY
    assert house.repository.rotate(house.offline, online=True) == 2
    house.repository.publish("pump/2.lsp", b"second")
    assert house.fetch(client, "pump/2.lsp") == b"second"


def test_a_rotation_without_the_keys_that_left_is_refused_and_changes_nothing(house: House, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(Invalid, match=r"--keys: .*empty holds no key of the current root"):
        house.repository.rotate(tmp_path / "empty")
    house.repository.publish(PATH, BODY)
    assert house.fetch(house.client()) == BODY


def test_publishing_needs_no_key_that_left_the_server(house: House) -> None:
    for key in house.offline.iterdir():
        key.unlink()
    house.repository.publish(PATH, BODY)
    assert house.fetch(house.client()) == BODY


def test_without_keys_publishing_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    bare = PackageRepository(tmp_path / "packages", HandClock())
    with pytest.raises(Unavailable, match="lineside-cloud init"):
        bare.publish(PATH, BODY)
    assert not bare.refresh()
    with pytest.raises(NotFound):
        bare.root()


def test_a_lost_online_key_refuses_publishing_and_names_the_role(house: House) -> None:
    (house.place / "keys" / "snapshot-1.pem").unlink()
    with pytest.raises(Unavailable, match="role snapshot"):
        house.repository.publish(PATH, BODY)
    assert house.fetch(house.client()) is None


def test_lost_online_keys_are_mended_by_a_rotation(house: House) -> None:
    client = house.client()
    for key in (house.place / "keys").iterdir():
        key.unlink()
    assert house.repository.rotate(house.offline, online=True) == 2
    house.repository.publish(PATH, BODY)
    assert house.fetch(client) == BODY


def test_keys_and_folders_are_for_their_owner_only(house: House) -> None:
    files = [*house.offline.iterdir(), *(house.place / "keys").iterdir()]
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    assert {stat.S_IMODE(one.stat().st_mode) for one in (house.offline, house.place, house.place / "keys")} == {0o700}
    assert len(files) == 5


def test_making_it_twice_keeps_what_is_there(house: House) -> None:
    root = house.repository.root()
    assert not house.repository.create(house.offline)
    assert house.repository.root() == root


def _crash_points() -> list[str]:
    return ["put_target", "models", "snapshot", "timestamp"]


@pytest.mark.parametrize("point", _crash_points())
def test_a_crash_at_any_step_leaves_what_was_there_and_the_next_try_goes_through(
    house: House, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.repository.publish(PATH, BODY)
    client = house.client()
    with monkeypatch.context() as patched:
        _die_before(patched, point)
        with pytest.raises(KeyboardInterrupt):
            house.repository.publish("pump/2.lsp", b"second")
    assert house.fetch(client) == BODY
    assert house.fetch(client, "pump/2.lsp") is None
    house.repository.publish("pump/2.lsp", b"second")
    assert house.fetch(client, "pump/2.lsp") == b"second"


def _die_before(patched: pytest.MonkeyPatch, point: str) -> None:
    replace = Path.replace

    def dying(self: Path, target: Path) -> Path:
        if point in str(target) or (point == "put_target" and str(target).endswith(".lsp")):
            raise KeyboardInterrupt
        return replace(self, target)

    patched.setattr(Path, "replace", dying)


Tamper = Callable[[House, PackageClient], None]


def _swap(client: PackageClient, kind: str, name: str, data: bytes) -> None:
    client.fetcher.swapped[f"http://cloud/{kind}/{name}"] = data


def _tampered_package(house: House, client: PackageClient) -> None:
    (file,) = (house.place / "targets" / "pump").iterdir()
    _swap(client, "targets", f"pump/{file.name}", BODY[:-1] + b"!")


def _truncated_package(house: House, client: PackageClient) -> None:
    (file,) = (house.place / "targets" / "pump").iterdir()
    _swap(client, "targets", f"pump/{file.name}", BODY[:-3])


def _edited_models(house: House, client: PackageClient) -> None:
    file = house.newest("models")
    said = json.loads(file.read_bytes())
    said["signed"]["targets"][PATH]["length"] += 1
    _swap(client, "metadata", file.name, json.dumps(said, separators=(",", ":")).encode())


def _unsigned_timestamp(house: House, client: PackageClient) -> None:
    said = json.loads((house.place / "metadata/timestamp.json").read_bytes())
    said["signatures"][0]["sig"] = "00" * 64
    _swap(client, "metadata", "timestamp.json", json.dumps(said, separators=(",", ":")).encode())


def _foreign_timestamp(house: House, client: PackageClient) -> None:
    other = House(house.directory / "other")
    other.repository.create(other.offline)
    _swap(client, "metadata", "timestamp.json", (other.place / "metadata/timestamp.json").read_bytes())


def _truncated_timestamp(house: House, client: PackageClient) -> None:
    _swap(client, "metadata", "timestamp.json", (house.place / "metadata/timestamp.json").read_bytes()[:-40])


def _mixed_snapshot(house: House, client: PackageClient) -> None:
    older = min((house.place / "metadata").glob("*.snapshot.json"))
    _swap(client, "metadata", house.newest("snapshot").name, older.read_bytes())


@pytest.mark.parametrize(
    ("tamper", "refusal"),
    [
        (_tampered_package, LengthOrHashMismatchError),
        (_truncated_package, LengthOrHashMismatchError),
        (_edited_models, LengthOrHashMismatchError),
        (_unsigned_timestamp, UnsignedMetadataError),
        (_foreign_timestamp, UnsignedMetadataError),
        (_truncated_timestamp, RepositoryError),
        (_mixed_snapshot, LengthOrHashMismatchError),
    ],
)
def test_whatever_is_changed_on_the_way_is_refused(
    house: House, tamper: Tamper, refusal: type[RepositoryError]
) -> None:
    house.repository.publish(PATH, BODY)
    client = house.client()
    tamper(house, client)
    with pytest.raises(refusal):
        house.fetch(client)
    client.fetcher.swapped.clear()
    assert house.fetch(client) == BODY


def test_an_older_state_of_the_repository_is_refused(house: House) -> None:
    client = house.client()
    house.repository.publish(PATH, BODY)
    older = (house.place / "metadata/timestamp.json").read_bytes()
    house.repository.publish("pump/2.lsp", b"second")
    assert house.fetch(client, "pump/2.lsp") == b"second"
    _swap(client, "metadata", "timestamp.json", older)
    with pytest.raises(RepositoryError):
        house.fetch(client, "pump/1.lsp")


def test_the_role_of_training_cannot_sign_outside_its_path(house: House) -> None:
    said = json.loads(house.newest("targets").read_bytes())
    (role,) = said["signed"]["delegations"]["roles"]
    assert (role["name"], role["paths"], role["terminating"]) == ("models", ["*/*.lsp"], True)


def test_old_metadata_is_removed_but_never_a_root(house: House) -> None:
    for number in range(1, 40):
        house.repository.publish(f"pump/{number}.lsp", bytes([number]))
    names = os.listdir(house.place / "metadata")  # noqa: PTH208 names are wanted
    assert sum(".snapshot." in name for name in names) <= 17
    assert "1.root.json" in names
    assert house.fetch(house.client(), "pump/1.lsp") == b"\x01"


@pytest.mark.parametrize(
    "name", ["../keys/models-1.pem", "root.json", "01.root.json", "1.root.json/..", "keys", "", "1.other.json"]
)
def test_metadata_of_another_name_is_not_there(house: House, name: str) -> None:
    with pytest.raises(NotFound):
        PackageFiles(house.place).metadata(name)


@pytest.mark.parametrize(
    "path", ["../keys/models-1.pem", "pump/1.lsp", "pump", "", "/etc/passwd", "pump/../pump/1.lsp"]
)
def test_a_package_of_another_name_is_not_there(house: House, path: str) -> None:
    house.repository.publish(PATH, BODY)
    with pytest.raises(NotFound):
        PackageFiles(house.place).target(path)
