"""JSON: a list of objects or an object a line, refused by row and key."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.dataset import ColumnKind
from cloud.errors import CloudError, Malformed, TooLarge
from tests.support.uploads import read


def refused(data: bytes | str) -> tuple[str, str]:
    with pytest.raises(CloudError) as error:
        read(data, "data.json")
    return error.value.code, str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1, "b": "x", "c": true}, {"a": null, "b": "y", "c": false}]',
        '\ufeff[ {"a":1,"b":"x","c":true} , {"b":"y","c":false} ] \n',
        '{"a": 1, "b": "x", "c": true}\n{"b": "y", "c": false}\n',
    ],
)
def test_a_list_and_lines_are_the_same_rows(text: str) -> None:
    sheet = read(text, "data.json")
    assert sheet.rows(2) == [{"a": 1, "b": "x", "c": "true"}, {"a": None, "b": "y", "c": "false"}]
    assert [one.kind for one in sheet.columns] == [ColumnKind.NUMBER, ColumnKind.CATEGORY, ColumnKind.CATEGORY]


def test_a_key_that_comes_later_is_missing_before() -> None:
    rows = [{"a": 1}] * 5_000 + [{"a": 2, "b": "x"}]
    sheet = read(json.dumps(rows), "data.json")
    assert sheet.columns[1].facts().missing == 5_000


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[]", "NO_ROWS", "no rows"),
        ('[{"a": 1}, {"a": "x"}]', "MIXED_TYPES", "row 2, column 'a': 'x' is not a number"),
        ('[{"a": 1}, {"a": [1]}]', "MIXED_TYPES", "row 2, column 'a': holds a list"),
        ('[{"a": 1}, {"a": {"b": 1}}]', "MIXED_TYPES", "row 2, column 'a': holds an object"),
        ('[{"a": 1, "a": 2}]', "DUPLICATE_COLUMN", "row 1, column 'a'"),
        ('[{"a": 1}, 5]', "INVALID_FORMAT", "row 2: is no object"),
        ('[{"a": 1}, {"a": 2]', "INVALID_FORMAT", "row 2: not JSON"),
        ('[{"a": 1} {"a": 2}]', "INVALID_FORMAT", "row 1: is followed by '{'"),
        ('[{"a": 1}', "INVALID_FORMAT", "ends within its list"),
        ('[{"a": 1}] more', "INVALID_FORMAT", "something after its list"),
        ('[{"a": 1}, {"a": Infinity}]', "NOT_FINITE", "row 2, column 'a'"),
        ('[{"a": 1}, {"a": 1e999}]', "NOT_FINITE", "row 2, column 'a'"),
        (f'[{{"a": {"9" * 400}}}]', "NOT_FINITE", "row 1, column 'a'"),
        (f'[{{"a": {"9" * 5000}}}]', "INVALID_FORMAT", "row 1: not JSON"),
        ("[" * 100_000, "MIXED_TYPES", "nested too deep"),
        ('[{"": 1}]', "INVALID_COLUMN_NAME", "no name"),
        (b'[{"a": "\xff"}]', "WRONG_ENCODING", "0xff"),
    ],
)
def test_what_is_wrong_is_named_by_row_and_key(text: bytes | str, code: str, told: str) -> None:
    assert refused(text)[0] == code
    assert told in refused(text)[1]


def test_very_many_keys_are_refused_by_their_number() -> None:
    assert refused(json.dumps([{f"c{number}": 1 for number in range(100_000)}]))[0] == "TOO_MANY_COLUMNS"


def test_many_tiny_rows_are_counted_as_they_come() -> None:
    assert refused("[" + "{}," * 200_000 + "{}]")[0] == "TOO_MANY_ROWS"


@given(data=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_any_json_is_read_or_refused_and_nothing_else(data: str) -> None:
    try:
        sheet = read(data, "data.json")
    except (Malformed, TooLarge):
        return
    assert len(sheet) > 0
