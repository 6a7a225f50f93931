"""OPC UA's words: severity survives every status code, node ids have one form."""

import pytest
from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InvalidTag
from protocols.nodes import data_type, normal_node, to_quality, to_status, variant_type
from protocols.reading import SEVERITY_MASK, Quality
from protocols.tag import DataType


@given(status=st.integers(0, 0xFFFF_FFFF))
def test_the_severity_of_any_status_is_kept(status: int) -> None:
    severity = status >> 24 & SEVERITY_MASK

    assert to_quality(status) & SEVERITY_MASK == min(severity, Quality.BAD)


@pytest.mark.parametrize("quality", list(Quality))
def test_the_severity_of_any_quality_is_kept(quality: Quality) -> None:
    assert to_quality(to_status(quality)) & SEVERITY_MASK == quality & SEVERITY_MASK


@pytest.mark.parametrize(
    ("status", "quality"),
    [
        (StatusCodes.Good, Quality.GOOD),
        (StatusCodes.GoodLocalOverride, Quality.GOOD),
        (StatusCodes.BadNoCommunication, Quality.DEVICE_LOST),
        (StatusCodes.BadNotConnected, Quality.DEVICE_LOST),
        (StatusCodes.BadTimeout, Quality.DEVICE_LOST),
        (StatusCodes.BadNodeIdUnknown, Quality.CONFIGURATION_ERROR),
        (StatusCodes.BadTypeMismatch, Quality.CONFIGURATION_ERROR),
        (StatusCodes.BadOutOfRange, Quality.OUT_OF_RANGE),
        (StatusCodes.BadWaitingForInitialData, Quality.READ_ERROR),
        (StatusCodes.BadSensorFailure, Quality.BAD),
        (StatusCodes.UncertainLastUsableValue, Quality.STALE),
        (StatusCodes.UncertainSubstituteValue, Quality.SUBSTITUTED),
        (StatusCodes.UncertainSensorNotAccurate, Quality.UNCERTAIN),
        (StatusCodes.BadOutOfRange | 0x0480, Quality.OUT_OF_RANGE),
    ],
)
def test_a_well_known_status_says_its_reason(status: int, quality: Quality) -> None:
    assert to_quality(status) == quality


@pytest.mark.parametrize(
    "quality",
    [
        Quality.GOOD,
        Quality.STALE,
        Quality.SUBSTITUTED,
        Quality.DEVICE_LOST,
        Quality.OUT_OF_RANGE,
        Quality.READ_ERROR,
        Quality.CONFIGURATION_ERROR,
    ],
)
def test_a_reason_that_opc_ua_knows_goes_there_and_back(quality: Quality) -> None:
    assert to_quality(to_status(quality)) == quality


@pytest.mark.parametrize("ours", list(DataType))
def test_every_type_of_ours_has_a_variant_type(ours: DataType) -> None:
    assert data_type(variant_type(ours)) == ours


def test_variant_types_are_numbered_as_the_library_does() -> None:
    assert [ua.VariantType(variant_type(ours)).name for ours in DataType] == [
        "Boolean",
        "Int16",
        "UInt16",
        "Int32",
        "UInt32",
        "Int64",
        "UInt64",
        "Float",
        "Double",
        "String",
    ]


def test_types_that_we_have_no_column_for_are_none() -> None:
    assert data_type(ua.VariantType.SByte.value) == DataType.INT16
    assert data_type(ua.VariantType.Byte.value) == DataType.UINT16
    assert data_type(ua.VariantType.ExtensionObject.value) is None
    assert data_type(-5) is None


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("ns=2;s=oven-1.temperature", "ns=2;s=oven-1.temperature"),
        (" ns=02;i=0085 ", "ns=2;i=85"),
        ("ns=0;i=85", "i=85"),
        ("i=85", "i=85"),
        ("ns=3;s=a;b=c", "ns=3;s=a;b=c"),
        ("ns=1;g=12345678-1234-1234-1234-1234567890AB", "ns=1;g=12345678-1234-1234-1234-1234567890ab"),
        ("ns=1;b=AQID", "ns=1;b=AQID"),
    ],
)
def test_a_node_id_has_one_form_that_the_library_reads_alike(text: str, normal: str) -> None:
    assert normal_node(text) == normal
    assert normal_node(normal) == normal
    assert ua.NodeId.from_string(normal) == ua.NodeId.from_string(text.strip())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "oven",
        "ns=2",
        "ns=2;s=",
        "ns=70000;i=1",
        "ns=-1;i=1",
        "ns=2;i=4294967296",
        "ns=2;i=x",
        "ns=2;i=\u0661",
        "ns=2;g=12",
        "ns=2;b=*",
        "ns=2;x=1",
        "ns=2;s=" + "a" * 5000,
    ],
)
def test_what_is_no_node_id_is_refused(text: str) -> None:
    with pytest.raises(InvalidTag):
        normal_node(text)


@given(text=st.text(max_size=40))
def test_any_text_gives_a_node_id_or_a_clear_error(text: str) -> None:
    for candidate in (text, f"ns=1;g={text}", f"b={text}", f"i={text}", f"s={text}"):
        try:
            found = normal_node(candidate)
        except InvalidTag:
            continue
        assert normal_node(found) == found
