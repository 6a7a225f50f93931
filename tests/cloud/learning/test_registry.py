"""The registry: versions that never change, aliases that do."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloud.domain.model import CHAMPION, PACKAGE_FILE, Stage, Task
from cloud.errors import Conflict, Invalid, NotFound, Unavailable
from cloud.fleet.repository import PackageRepository
from cloud.learning.registry import Registry
from cloud.records.audit import list_audit
from cloud.storage.files import DirectoryFiles
from protocols.package import unpack_package
from tests.support.cloud_clock import HandClock
from tests.support.plain_packages import package
from tests.support.records import new_records


class Desk:
    """A registry on real records, real files and a real signed repository."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = HandClock()
        self.records = new_records(directory)
        self.files = DirectoryFiles(directory / "files")
        self.repository = PackageRepository(directory / "packages", self.clock)
        self.registry = Registry(self.records, self.files, self.clock, self.repository)

    def sign(self) -> None:
        self.repository.create(self.directory / "offline")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.records.close()


def add(desk: Desk, name: str = "pump") -> int:
    added = desk.registry.add_version(name, algorithm="whitening", task=Task.ANOMALY, package=package(), by="test")
    return added.version


def test_a_version_gets_the_next_number_in_its_card_too(desk: Desk) -> None:
    assert [add(desk), add(desk)] == [1, 2]
    kept = desk.registry.version("pump", 2)
    read = unpack_package(desk.registry.read(kept))
    assert (read.card.name, read.card.version) == ("pump", 2)
    assert (kept.card["version"], kept.metrics, kept.lineage["rows"]) == (2, {"recall": 0.9}, 400)
    assert "self_test" not in kept.card


def test_a_version_may_be_files_of_any_algorithm(desk: Desk) -> None:
    made = desk.registry.add_version(
        "failures", algorithm="lightgbm", task=Task.CLASSIFICATION, files={"trees.txt": b"tree"}, by="job 1"
    )
    assert desk.registry.read(made, "trees.txt") == b"tree"
    assert not made.has_package
    with pytest.raises(Invalid, match="no package"):
        desk.registry.publish("failures", by="test")
    with pytest.raises(NotFound, match=r"no file 'package\.lsp'"):
        desk.registry.read(made, PACKAGE_FILE)


def test_versions_that_are_added_at_once_all_get_numbers(desk: Desk) -> None:
    with ThreadPoolExecutor(4) as threads:
        numbers = list(threads.map(lambda _: add(desk), range(8)))
    assert sorted(numbers) == list(range(1, 9))
    assert len(list(desk.files.names("models"))) == 8


def test_a_model_is_found_by_name_and_by_id_and_its_version_by_number_and_alias(desk: Desk) -> None:
    add(desk)
    add(desk)
    model = desk.registry.get("pump")
    assert desk.registry.get(model.id).name == "pump"
    assert desk.registry.version("pump").version == 2
    desk.registry.set_alias("pump", CHAMPION, 1, by="test")
    assert desk.registry.version("pump").version == 1
    assert desk.registry.version("pump", CHAMPION).deployed_at is not None
    with pytest.raises(NotFound, match="no version challenger"):
        desk.registry.version("pump", "challenger")


def test_stages_follow_from_aliases_and_archive(desk: Desk) -> None:
    for _ in range(3):
        add(desk)
    desk.registry.set_alias("pump", CHAMPION, 2, by="test")
    desk.registry.archive("pump", 1, by="test")
    model = desk.registry.get("pump")
    stages = [model.stage_of(one) for one in model.versions]
    assert stages == [Stage.TRAINED, Stage.DEPLOYED, Stage.ARCHIVED]
    with pytest.raises(Conflict, match="is the champion"):
        desk.registry.archive("pump", 2, by="test")


def test_publishing_signs_the_package_once_and_is_in_the_audit(desk: Desk) -> None:
    add(desk)
    with pytest.raises(Unavailable, match="lineside-cloud init"):
        desk.registry.publish("pump", by="test")
    assert not desk.registry.version("pump").path
    desk.sign()
    published = desk.registry.publish("pump", by="test")
    assert published.path == "pump/1.lsp"
    assert desk.registry.publish("pump", 1, by="test") == published
    with desk.records.reading() as session:
        assert [one.action for one in list_audit(session, subject="pump@1")] == ["model.publish", "model.add"]


def test_a_file_that_was_changed_on_disk_is_not_published(desk: Desk) -> None:
    desk.sign()
    add(desk)
    (file,) = (desk.directory / "files" / "models").iterdir()
    file.write_bytes(b"other")
    with pytest.raises(Unavailable, match="damaged"):
        desk.registry.publish("pump", by="test")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "package: a package of 0 bytes"),
        (b"PK\x03\x04 a zip file", "package: no package begins with"),
        (package().pack()[:-3], "package: the network has"),
        (package().pack()[:40], "package: a package of 40 bytes ends within its card"),
        (package().pack().replace(b'"spans":[1]', b'"spans":{1}'), "package: the package's card"),
        (package().pack()[:-1] + b"!", "package: the network is not the one"),
    ],
)
def test_a_broken_package_file_is_refused_in_words_and_changes_nothing(desk: Desk, data: bytes, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        desk.registry.add_package(data, by="test")
    assert desk.registry.list() == []
    assert list(desk.files.names("models")) == []


def test_a_package_file_becomes_a_version(desk: Desk) -> None:
    made = desk.registry.add_package(package("oven", version=7).pack(), by="test")
    assert made.label == "oven@1"
    assert desk.registry.add_package(package("oven").pack(), by="test", name="kiln").label == "kiln@1"


def test_wrong_names_tasks_aliases_and_tags_are_refused_by_field(desk: Desk) -> None:
    add(desk)
    with pytest.raises(Invalid, match="name: 'Über Pumpe'"):
        add(desk, "Über Pumpe")
    with pytest.raises(Invalid, match="files: "):
        desk.registry.add_version("x", algorithm="a", task=Task.ANOMALY, by="test")
    with pytest.raises(Conflict, match="is a model for anomaly"):
        desk.registry.add_version("pump", algorithm="a", task=Task.FORECAST, files={"a": b""}, by="test")
    with pytest.raises(Invalid, match="alias: "):
        desk.registry.set_alias("pump", "The Best", 1, by="test")
    with pytest.raises(NotFound, match="no version 9"):
        desk.registry.set_alias("pump", CHAMPION, 9, by="test")
    with pytest.raises(Invalid, match="tags: "):
        desk.registry.set_tags("pump", {"x": "y" * 201}, by="test")
    assert desk.registry.set_tags("pump", {"line": "2"}, by="test").tags == {"line": "2"}
    with pytest.raises(NotFound, match="there is no model 'oven'"):
        desk.registry.get("oven")
