"""Exporting: page by page, each reading once, whatever the size of a page."""

import csv
import io
import json
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.domain.export import ExportFormat, ExportRequest
from cloud.domain.link import opens, signed
from cloud.learning.algorithm import Cancelled
from cloud.operations.exporting import Export, as_csv, as_json
from cloud.ports import Points, Series
from cloud.storage.memory import MemoryStore
from tests.support.cloud import arrival
from tests.support.cloud_clock import START_US, HandClock

WHOLE = ExportRequest(ExportFormat.CSV, 0, START_US * 2)


class CountingStore(MemoryStore):
    """A memory store that remembers how much was asked for at once."""

    most = 0

    def points(self, series: Series, *, start_us: int, end_us: int, limit: int) -> Points:
        found = super().points(series, start_us=start_us, end_us=end_us, limit=limit)
        self.most = max(self.most, len(found.time_us))
        return found


def store_of(count: int) -> CountingStore:
    store = CountingStore(HandClock())
    with store.transaction():
        store.write([arrival(time_us=range(START_US, START_US + count), value=range(count))])
    return store


@settings(max_examples=30, deadline=None)
@given(count=st.integers(0, 40), page=st.integers(1, 15))
def test_every_reading_leaves_once_and_no_more_than_a_page_is_held(count: int, page: int) -> None:
    store = store_of(count)
    export = Export(store, WHOLE, lambda key: key.device, lambda _: None, page=page)
    rows = list(csv.DictReader(io.StringIO(b"".join(as_csv(export.rows())).decode())))
    assert [float(row["value"]) for row in rows] == list(range(count))
    assert export.count == count
    assert store.most <= page
    again = Export(store, WHOLE, lambda key: key.device, lambda _: None, page=page)
    assert len(json.loads(b"".join(as_json(again.rows())))) == count


def test_an_export_stops_in_the_middle_where_it_is_cancelled() -> None:
    def told(share: float) -> None:
        if share > 0.0:
            raise Cancelled("stop")

    def taken() -> Iterator[bytes]:
        yield from as_csv(Export(store_of(30), WHOLE, lambda key: key.device, told, page=10).rows())

    with pytest.raises(Cancelled):
        list(taken())


@given(st.text(max_size=50), st.integers(1, 10**9), st.binary(min_size=1, max_size=40))
def test_a_link_opens_its_own_path_until_its_time_and_nothing_else(name: str, now_s: int, secret: bytes) -> None:
    path = f"/reports/{name.replace('?', '')}"
    link = signed(secret, path, now_s=now_s, life_s=60)
    expires, signature = link.removeprefix(f"{path}?expires=").split("&signature=")
    assert opens(secret, path, expires_s=int(expires), signature=signature, now_s=now_s + 59)
    assert not opens(secret, path, expires_s=int(expires), signature=signature, now_s=now_s + 60)
    assert not opens(secret, path, expires_s=int(expires) + 1, signature=signature, now_s=now_s)
    assert not opens(secret, f"{path}x", expires_s=int(expires), signature=signature, now_s=now_s)
    assert not opens(secret + b"x", path, expires_s=int(expires), signature=signature, now_s=now_s)
