"""Datasets: an upload is kept whole or nothing of it is, and what is shown of it runs nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.domain.dataset import ColumnFacts, ColumnKind
from cloud.errors import CloudError, Invalid, NotFound, TooLarge
from cloud.learning.datasets import Datasets
from cloud.learning.sheet import unpack
from tests.support.records import new_records
from tests.support.uploads import MAX_UPLOAD_BYTES, datasets_in, upload

DATA = b"speed,state,note\n1,on,=1+2\n2,off,@SUM(A1)\n,on,plain\n"
Kept = tuple[Datasets, Path]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Give datasets without any."""
    records = new_records(tmp_path)
    yield datasets_in(tmp_path / "files", records), tmp_path / "files"
    records.close()


def files_in(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_an_upload_is_kept_with_what_is_known_of_its_columns(kept: Kept) -> None:
    datasets, directory = kept
    made = datasets.upload(upload(DATA, target="state"))
    assert (made.file_format, made.n_rows, made.target, made.sent_size) == ("csv", 3, "state", len(DATA))
    assert made.columns[0] == ColumnFacts("speed", ColumnKind.NUMBER, 1, 2, 1.0, 2.0, 1.5)
    assert datasets.get(f"file_{made.id}") == datasets.get(made.id) == made
    assert datasets.list() == [made]
    assert files_in(directory) == [made.file.name]
    with (directory / made.file.name).open("rb") as file:
        assert len(unpack(file)) == 3


def test_a_sample_runs_in_no_spreadsheet(kept: Kept) -> None:
    datasets, _ = kept
    made, rows = datasets.sample(datasets.upload(upload(DATA)).id, 2)
    assert made.n_rows == 3
    assert rows == [
        {"speed": 1.0, "state": "on", "note": "'=1+2"},
        {"speed": 2.0, "state": "off", "note": "'@SUM(A1)"},
    ]


def test_a_deleted_dataset_is_gone_from_the_disk(kept: Kept) -> None:
    datasets, directory = kept
    made = datasets.upload(upload(DATA))
    datasets.delete(made.id, by="anna")
    assert files_in(directory) == []
    for again in (datasets.get, lambda one: datasets.delete(one, by="anna")):
        with pytest.raises(NotFound):
            again(made.id)


@pytest.mark.parametrize(
    ("data", "file_name", "target", "only", "code"),
    [
        (b"a,b\n1,2\n3\n", "data.csv", "", "", "RAGGED_ROWS"),
        (b'[{"a": 1}]', "data.json", "", "csv", "INVALID_FORMAT"),
        (b"\x1f\x8b" + bytes(50), "data.csv", "", "", "INVALID_FORMAT"),
        (b"a,b\n1,2\n", "data.csv", "colour", "", "INVALID_DATASET"),
        (b"x" * (MAX_UPLOAD_BYTES + 1), "data.csv", "", "", "FILE_TOO_LARGE"),
        (b"{}\n" * 1_000_000, "data.json", "", "", "TOO_MANY_ROWS"),
    ],
)
def test_a_refused_upload_changes_nothing(
    kept: Kept, data: bytes, file_name: str, target: str, only: str, code: str
) -> None:
    datasets, directory = kept
    with pytest.raises(CloudError) as refused:
        datasets.upload(upload(data, file_name, target, only))
    assert refused.value.code == code
    assert datasets.list() == []
    assert files_in(directory) == []


def test_an_upload_that_wants_all_memory_harms_nobody_else(kept: Kept) -> None:
    datasets, directory = kept
    deep = b'[{"a": ' + b'{"a":' * 5 + b"1" + b"}" * 5 + b"}]"
    with pytest.raises((Invalid, TooLarge, CloudError)):
        datasets.upload(upload(deep, "data.json"))
    assert files_in(directory) == []
