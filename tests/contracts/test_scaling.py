"""Whoever scales a raw number computes the same value to the last bit, or the same register would be two series."""

from decimal import Decimal

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.config.devices import OpcuaTag
from edge_agent.drivers.opcua_values import Said, to_block
from firmware_sim.tags import Tag
from protocols.registers import RegisterFormat, decode, encode
from protocols.scaling import ratio
from protocols.tag import DataType

WHOLE = (DataType.INT16, DataType.UINT16, DataType.INT32, DataType.UINT32, DataType.INT64, DataType.UINT64)
NUMBERS = (*WHOLE, DataType.FLOAT32, DataType.FLOAT64)
decimals = st.builds(lambda number, places: number / 10**places, st.integers(-9999, 9999), st.integers(0, 11))
scales = st.one_of(decimals.filter(bool), st.floats(1e-6, 1e6))


def a_raw_number(kind: DataType, bits: int) -> float | int:
    """Return some number that registers of this type can hold."""
    words = np.frombuffer(bits.to_bytes(8, "big")[: 2 * kind.words], ">u2").astype(np.uint16)
    (value,) = decode(words, RegisterFormat(kind))
    assert not isinstance(value, str)
    return value


def of_registers(kind: DataType, scale: float, offset: float, raw: float) -> float:
    (value,) = decode(encode([raw], RegisterFormat(kind)), RegisterFormat(kind, scale=scale, offset=offset))
    assert not isinstance(value, str)
    return value


def of_opcua(kind: DataType, scale: float, offset: float, raw: float) -> float:
    tag = OpcuaTag(name="x", node="i=1", type=kind, scale=scale, offset=offset)
    return float(to_block([Said(0, raw)], {0: tag}, 0).columns[0].value[0])


@given(st.sampled_from(NUMBERS), st.integers(0, 2**64 - 1), scales, decimals)
def test_registers_opcua_and_the_simulated_plant_agree_bit_for_bit(
    kind: DataType, bits: int, scale: float, offset: float
) -> None:
    raw = a_raw_number(kind, bits)
    found = [
        of_registers(kind, scale, offset, raw),
        of_opcua(kind, scale, offset, raw),
        float(Tag("x", "x", kind, "", scale, offset).served(raw)),
    ]
    assert len({np.float64(value).tobytes() for value in found} if raw == raw else {""}) == 1, found  # noqa: PLR0124 NaN


@given(st.integers(-(2**31), 2**31), st.integers(1, 999), st.integers(0, 9), st.integers(-999, 999))
def test_a_decimal_scale_gives_the_decimal_that_people_write(raw: int, factor: int, places: int, summand: int) -> None:
    scale, offset = factor / 10**places, summand / 10**places
    exact = (Decimal(raw) * factor + summand) / Decimal(10) ** places
    assert ratio(scale, offset).value(raw) == float(exact)


def test_three_tenths_are_0_point_3_by_every_way() -> None:
    assert of_opcua(DataType.INT32, 0.1, 0.0, 3) == of_registers(DataType.INT32, 0.1, 0.0, 3) == 0.3


@given(st.integers(-(2**31), 2**31), scales, decimals)
def test_what_is_scaled_comes_back_whole(raw: int, scale: float, offset: float) -> None:
    used = ratio(scale, offset)
    assert abs(used.raw(used.value(raw)) - raw) <= 0.5 or abs(offset) > abs(scale) * 1e5
