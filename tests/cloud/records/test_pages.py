"""Pages: whatever part is asked for, the rows are its own and the total is of all that is chosen."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.domain.audit import AuditEntry
from cloud.records.audit import AuditRow, add_audit
from cloud.records.database import Records
from cloud.records.pages import page_of
from tests.support.records import new_records

ROWS = 7
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    """Give records with some entries, of which every second one is chosen."""
    directory: Path = tmp_path_factory.mktemp("pages")
    with closing(new_records(directory)) as made:
        with made.writing() as session:
            for number in range(2 * ROWS):
                add_audit(session, AuditEntry(START + timedelta(hours=number), "anna", f"a{number % 2}", "s", {}))
        yield made


@settings(max_examples=40)
@given(limit=st.integers(0, ROWS + 2), offset=st.integers(0, ROWS + 2), is_found=st.booleans())
def test_a_page_is_that_part_of_the_list_and_the_total_is_of_the_whole(
    records: Records, *, limit: int, offset: int, is_found: bool
) -> None:
    chosen = [AuditRow.action == ("a1" if is_found else "none")]
    with records.reading() as session:
        rows, total = page_of(session, AuditRow, chosen, AuditRow.id.desc(), limit=limit, offset=offset)
        everything = list(range(2 * ROWS, 0, -2)) if is_found else []
        assert ([row.id for row in rows], total) == (everything[offset : offset + limit], len(everything))
