"""CSV as people have it: found out where that is safe, refused by row and column where it is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.dataset import ColumnKind
from cloud.errors import CloudError, Malformed, TooLarge
from cloud.learning.uploads.bounds import Bounds
from tests.support.uploads import BOUNDS, read

GOOD = "time,speed,state\n2025-01-01T00:00:00Z,1.5,on\n2025-01-01T00:00:01Z,,off\n"


def refused(data: bytes | str, bounds: Bounds = BOUNDS) -> tuple[str, str]:
    with pytest.raises(CloudError) as error:
        read(data, bounds=bounds)
    return error.value.code, str(error.value)


def test_numbers_times_and_texts_are_told_apart_and_missing_stays_missing() -> None:
    sheet = read(GOOD)
    time, speed, state = sheet.columns
    assert [one.kind for one in sheet.columns] == [ColumnKind.TIME, ColumnKind.NUMBER, ColumnKind.CATEGORY]
    np.testing.assert_array_equal(speed.values, [1.5, np.nan])
    assert (state.levels, state.values.tolist()) == (("on", "off"), [0, 1])
    assert np.diff(time.values).tolist() == [1_000_000]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_delimiter_and_the_byte_order_mark_are_found_out(delimiter: str, encoding: str) -> None:
    text = f"a{delimiter}größe\r\n1{delimiter}2\r\n3{delimiter}4\r\n"
    sheet = read(text.encode(encoding))
    assert [one.name for one in sheet.columns] == ["a", "größe"]
    assert [one.values.tolist() for one in sheet.columns] == [[1, 3], [2, 4]]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_a_decimal_comma_is_understood_where_it_delimits_nothing(delimiter: str) -> None:
    sheet = read(f"a{delimiter}b\n1,5{delimiter}2\n-3,25e1{delimiter}4,0\n")
    assert [one.values.tolist() for one in sheet.columns] == [[1.5, -32.5], [2, 4]]


@pytest.mark.parametrize("word", ["", "NA", "n/a", "NaN", "null", "None", "-", "?", " "])
def test_what_people_write_for_missing_is_missing_in_numbers_and_in_texts(word: str) -> None:
    numbers, texts = read(f"a,b\n1,x\n{word},{word}\n").columns
    assert [numbers.facts().missing, texts.facts().missing] == [1, 1]


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        (b"", "INVALID_FORMAT", "is empty"),
        (b"  \n \n", "INVALID_FORMAT", "is empty"),
        (b"a,b\n", "NO_ROWS", "a header and no rows"),
        (b"1,2\n3,4\n", "NO_HEADER", "row 1: holds values"),
        (b"2025-01-01,1.5\n2025-01-02,1.6\n", "NO_HEADER", "row 1: holds values"),
        (b"a,b,a\n1,2,3\n", "DUPLICATE_COLUMN", "row 1, column 'a'"),
        (b"a,,c\n1,2,3\n", "INVALID_COLUMN_NAME", "row 1: column 2 has no name"),
        (b"a,b\n1,2\n3\n", "RAGGED_ROWS", "row 3: has 1 cells, the header has 2"),
        (b"a,b\n1,2\n3,4,5\n", "RAGGED_ROWS", "row 3: has 3 cells, the header has 2"),
        (b"a,b\n1,2\n\n3,4\n", "RAGGED_ROWS", "row 3: has 0 cells"),
        (b"a,b\n1,x\n2,y\n3,7\n", "MIXED_TYPES", "row 4, column 'b': '7' is not a text"),
        (b"a,b\n1,2\n2,3\nbroken,4\n", "MIXED_TYPES", "row 4, column 'a': 'broken' is not a number"),
        (b"a\n2025-01-01\nlater\n", "MIXED_TYPES", "row 3, column 'a': 'later' is not a time"),
        (b"a,b\n1,2\n2,=cmd|' /C calc'!A0\n", "MIXED_TYPES", "row 3, column 'b': \"=cmd"),
        (b"a,b\n1,2\ninf,3\n", "NOT_FINITE", "row 3, column 'a': 'inf' is not finite"),
        (b"a,b\n1,2\n1e999,3\n", "NOT_FINITE", "row 3, column 'a': '1e999' is not finite"),
        (b"a,b\n1,2\n3,\xe9\n", "WRONG_ENCODING", "row 3: byte 0xe9 is not UTF-8"),
        (b"a,b\n1,2\n\0\0\n", "INVALID_FORMAT", "NUL bytes"),
        (b'a,b\n1,"2\n3,4\n', "INVALID_FORMAT", "not CSV"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], "WRONG_ENCODING", "not UTF-16"),
        (b"\x1f\x8b\x08\x00rest", "INVALID_FORMAT", "is packed (gzip)"),
        (b"PK\x03\x04rest", "INVALID_FORMAT", "is packed (zip"),
        (b"PAR1rest", "INVALID_FORMAT", "called .csv"),
    ],
)
def test_what_is_wrong_is_named_by_row_and_column(data: bytes, code: str, told: str) -> None:
    assert refused(data)[0] == code
    assert told in refused(data)[1]


def test_a_million_columns_are_refused_by_their_number() -> None:
    header = ",".join(f"c{number}" for number in range(1_000_000))
    code, told = refused(f"{header}\n")
    assert code == "TOO_MANY_COLUMNS"
    assert "at most 1,000" in told


def test_too_many_rows_and_too_much_memory_are_refused_before_they_are_kept() -> None:
    rows = "a\n" + "1\n" * 5_000
    assert refused(rows, Bounds(1 << 20, 4_999, 10))[0] == "TOO_MANY_ROWS"
    assert refused(rows, Bounds(1_000, 10_000, 10))[0] == "FILE_EXPANDS_TOO_FAR"


def test_a_column_that_is_said_to_hold_texts_may_mix_them_with_numbers() -> None:
    sheet = read("id,b\n7,1\nA8,2\n", bounds=Bounds(1 << 20, 100, 10, texts=("id",)))
    assert sheet.columns[0].levels == ("7", "A8")


def test_types_hold_over_more_rows_than_are_read_at_once() -> None:
    rows = "\n".join(f"{number},t{number % 3}" for number in range(10_000))
    sheet = read(f"a,b\n{rows}\n")
    assert sheet.columns[0].values.tolist() == list(range(10_000))
    assert refused(f"a,b\n{rows}\nx,t1\n")[1].startswith("row 10,002, column 'a'")


def test_a_column_that_begins_with_missing_values_takes_the_type_of_the_first_one_that_is_there() -> None:
    rows = "\n".join(["NA,NA,NA"] * 5_000 + ["1,x,2025-01-01"])
    sheet = read(f"a,b,c\n{rows}\n")
    assert [one.kind for one in sheet.columns] == [ColumnKind.NUMBER, ColumnKind.CATEGORY, ColumnKind.TIME]
    assert [one.facts().missing for one in sheet.columns] == [5_000] * 3


@given(data=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_and_nothing_else(data: bytes) -> None:
    try:
        sheet = read(data, name="data")
    except (Malformed, TooLarge):
        return
    assert len(sheet) > 0


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(rows=st.lists(st.tuples(FINITE, st.text("abcü \"',;", min_size=1)), min_size=1))
def test_what_a_writer_writes_is_what_is_read(rows: list[tuple[float, str]]) -> None:
    lines = ['"number","text"', *(f'{number!r},"t{text.replace(chr(34), chr(34) * 2)}"' for number, text in rows)]
    numbers, texts = read("\n".join(lines) + "\n").columns
    assert numbers.values.tolist() == [number for number, _ in rows]
    assert [texts.levels[code] for code in texts.values] == [f"t{text}".strip() for _, text in rows]
