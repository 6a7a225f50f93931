"""Parquet: typed columns are taken as they are, and a file that expands too far is refused by what its footer says."""

from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cloud.domain.dataset import ColumnKind
from cloud.errors import CloudError
from cloud.learning.sheet import NO_TIME
from cloud.learning.uploads.bounds import Bounds
from tests.support.uploads import BOUNDS, read


def parquet(**columns: object) -> bytes:
    file = BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def refused(data: bytes, bounds: Bounds = BOUNDS) -> tuple[str, str]:
    with pytest.raises(CloudError) as error:
        read(data, "data.parquet", bounds)
    return error.value.code, str(error.value)


def test_every_plain_type_becomes_a_column() -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    sheet = read(
        parquet(
            whole=pa.array([1, None], pa.int32()),
            real=[1.5, float("nan")],
            text=["x", None],
            coded=pa.array(["u", "v"]).dictionary_encode(),
            flag=[True, False],
            time=pa.array([at, None], pa.timestamp("ns", tz="UTC")),
            nothing=pa.nulls(2),
        ),
        "data.parquet",
    )
    kinds = {one.name: one.kind for one in sheet.columns}
    assert [name for name, kind in kinds.items() if kind is ColumnKind.NUMBER] == ["whole", "real", "nothing"]
    assert [name for name, kind in kinds.items() if kind is ColumnKind.CATEGORY] == ["text", "coded", "flag"]
    first, second = sheet.rows(2)
    assert list(first.values()) == [1, 1.5, "x", "u", "true", "2025-01-01T00:00:00Z", None]
    assert list(second.values()) == [None, None, None, "v", "false", None, None]
    assert sheet.columns[5].values[1] == NO_TIME
    assert [one.facts().missing for one in sheet.columns] == [1, 1, 1, 0, 0, 1, 2]


def test_a_file_that_expands_too_far_is_refused() -> None:
    bomb = parquet(a=pa.array(np.zeros(90_000)), b=pa.array(["x" * 1_000] * 90_000))
    assert len(bomb) < 100_000
    assert refused(bomb)[0] == "FILE_EXPANDS_TOO_FAR"


def test_too_many_rows_and_columns_are_refused_before_anything_is_read() -> None:
    assert refused(parquet(a=np.zeros(100_001)))[0] == "TOO_MANY_ROWS"
    assert refused(parquet(**{f"c{number}": [1] for number in range(1_001)}))[0] == "TOO_MANY_COLUMNS"


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (parquet(a=[[1, 2]]), "MIXED_TYPES", "column 'a': holds list"),
        (parquet(a=[{"b": 1}]), "MIXED_TYPES", "column 'a': holds struct"),
        (parquet(a=[b"raw"]), "MIXED_TYPES", "column 'a': holds binary"),
        (parquet(a=[1.0, float("inf")]), "NOT_FINITE", "row 2, column 'a'"),
        (parquet(a=pa.array([], pa.int32())), "NO_ROWS", "no rows"),
        (parquet(a=[1])[:40] + b"PAR1", "INVALID_FORMAT", "not Parquet"),
        (b"PAR1" + bytes(100), "INVALID_FORMAT", "not Parquet"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, code: str, told: str) -> None:
    assert refused(data)[0] == code
    assert told in refused(data)[1]


def test_two_columns_of_one_name_are_refused() -> None:
    file = BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), file)
    assert refused(file.getvalue())[0] == "DUPLICATE_COLUMN"
