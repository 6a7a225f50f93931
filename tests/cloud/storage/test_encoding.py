"""One series as bytes: bit for bit, small where it can be, and an error for anything else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.storage.chunks.encoding import decode, encode
from protocols.errors import InvalidContent
from protocols.reading import Kind, Quality

TENTHS = st.integers(-500, 500).map(lambda tenths: int(np.float64(tenths / 10).view(np.uint64)))
SINGLES = st.floats(width=32).map(lambda value: int(np.float64(value).view(np.uint64)))
BITS = st.lists(TENTHS | SINGLES | st.integers(0, (1 << 64) - 1), min_size=1, max_size=60) | st.lists(
    TENTHS, min_size=1, max_size=60
)
TIMES = st.integers(0, (1 << 53) - 1) | st.integers(1_700_000_000, 1_700_000_100).map(lambda second: second * 1_000_000)


@given(BITS, st.data(), st.sampled_from([Kind.FLOAT, Kind.INT]))
def test_readings_come_back_bit_for_bit(bits: list[int], data: st.DataObject, kind: Kind) -> None:
    n = len(bits)
    times = np.array(sorted(data.draw(st.sets(TIMES, min_size=n, max_size=n))), np.int64)
    quality = np.array(data.draw(st.lists(st.sampled_from(Quality), min_size=n, max_size=n)), np.uint8)
    written = np.array(bits, np.uint64)
    back = decode(encode(kind, times, written, quality))
    assert [part.tobytes() for part in back] == [times.tobytes(), written.tobytes(), quality.tobytes()]


@pytest.mark.parametrize(
    ("values", "most"),
    [
        (np.round(20 + np.cumsum(np.random.default_rng(1).normal(0, 0.1, 4000)), 1), 1.0),
        (np.round(np.random.default_rng(2).normal(0, 9, 4000), 1).astype(np.float32).astype(np.float64), 1.6),
        (np.full(4000, np.nan), 0.05),
    ],
    ids=["decimals", "decimals read as float32", "nothing but NaN"],
)
def test_a_regular_series_takes_few_bytes(values: np.ndarray[tuple[int], np.dtype[np.float64]], most: float) -> None:
    times = 1_700_000_000_000_000 + 1_000_000 * np.arange(4000)
    written = encode(Kind.FLOAT, times, values.view(np.uint64), np.zeros(4000, np.uint8))
    assert len(written) / 4000 < most


@settings(max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 400), st.integers(0, 255))
def test_damaged_bytes_are_an_error_or_some_readings(noise: bytes, place: int, byte: int) -> None:
    times = np.arange(100, dtype=np.int64) ** 2
    whole = bytearray(encode(Kind.FLOAT, times, np.sqrt(times).view(np.uint64), np.zeros(100, np.uint8)))
    whole[place % len(whole)] = byte
    for damaged in (bytes(whole), bytes(whole[:place]), noise):
        try:
            time_us, bits, quality = decode(damaged)
        except InvalidContent:
            continue
        assert len(time_us) == len(bits) == len(quality)
