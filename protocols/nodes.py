"""OPC UA's words for ours: node ids as text, variant types <-> DataType, status codes <-> Quality."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from uuid import UUID

from protocols.errors import InvalidTag
from protocols.reading import Quality
from protocols.tag import DataType

MAX_IDENTIFIER_LENGTH = 4096
_NODE = re.compile(r"(?:ns=(?P<namespace>[0-9]{1,5});)?(?P<kind>[isgb])=(?P<identifier>.+)", re.DOTALL)
_SEVERITY_MASK = 0xC000_0000
_CODE_MASK = 0xFFFF_0000

_TYPES: Mapping[int, DataType] = {
    1: DataType.BOOL,
    2: DataType.INT16,  # SByte
    3: DataType.UINT16,  # Byte
    4: DataType.INT16,
    5: DataType.UINT16,
    6: DataType.INT32,
    7: DataType.UINT32,
    8: DataType.INT64,
    9: DataType.UINT64,
    10: DataType.FLOAT32,
    11: DataType.FLOAT64,
    12: DataType.TEXT,
}
_VARIANTS: Mapping[DataType, int] = {
    data_type: variant for variant, data_type in _TYPES.items() if variant not in (2, 3)
}

_REASONS: Mapping[int, Quality] = {
    0x8005_0000: Quality.DEVICE_LOST,  # BadCommunicationError
    0x800A_0000: Quality.DEVICE_LOST,  # BadTimeout
    0x800D_0000: Quality.DEVICE_LOST,  # BadServerNotConnected
    0x8031_0000: Quality.DEVICE_LOST,  # BadNoCommunication
    0x808A_0000: Quality.DEVICE_LOST,  # BadNotConnected
    0x80AE_0000: Quality.DEVICE_LOST,  # BadConnectionClosed
    0x8007_0000: Quality.READ_ERROR,  # BadDecodingError
    0x801F_0000: Quality.READ_ERROR,  # BadUserAccessDenied
    0x8032_0000: Quality.READ_ERROR,  # BadWaitingForInitialData
    0x803A_0000: Quality.READ_ERROR,  # BadNotReadable
    0x808B_0000: Quality.READ_ERROR,  # BadDeviceFailure
    0x809B_0000: Quality.READ_ERROR,  # BadNoData
    0x809E_0000: Quality.READ_ERROR,  # BadDataUnavailable
    0x8033_0000: Quality.CONFIGURATION_ERROR,  # BadNodeIdInvalid
    0x8034_0000: Quality.CONFIGURATION_ERROR,  # BadNodeIdUnknown
    0x8035_0000: Quality.CONFIGURATION_ERROR,  # BadAttributeIdInvalid
    0x8074_0000: Quality.CONFIGURATION_ERROR,  # BadTypeMismatch
    0x8089_0000: Quality.CONFIGURATION_ERROR,  # BadConfigurationError
    0x803C_0000: Quality.OUT_OF_RANGE,  # BadOutOfRange
    0x408F_0000: Quality.STALE,  # UncertainNoCommunicationLastUsableValue
    0x4090_0000: Quality.STALE,  # UncertainLastUsableValue
    0x4091_0000: Quality.SUBSTITUTED,  # UncertainSubstituteValue
    0x4209_0000: Quality.SUBSTITUTED,  # UncertainSimulatedValue
}
_STATUSES: Mapping[Quality, int] = {
    Quality.DEVICE_LOST: 0x8031_0000,
    Quality.READ_ERROR: 0x808B_0000,
    Quality.CONFIGURATION_ERROR: 0x8089_0000,
    Quality.OUT_OF_RANGE: 0x803C_0000,
    Quality.STALE: 0x4090_0000,
    Quality.SUBSTITUTED: 0x4091_0000,
}


def normal_node(text: str) -> str:
    """Return a node id in its one normal form, such as `ns=2;s=oven-1.temperature` or `i=85`; raise InvalidTag."""
    found = _NODE.fullmatch(text.strip())
    if found is None:
        raise InvalidTag(f"{text[:120]!r} is no node id such as ns=2;s=oven-1.temperature or ns=2;i=1001")
    namespace = int(found["namespace"] or 0)
    if namespace > 0xFFFF:
        raise InvalidTag(f"{text[:120]!r}: a namespace is at most 65535")
    return (f"ns={namespace};" if namespace else "") + f"{found['kind']}={_identifier(text, found)}"


def data_type(variant: int) -> DataType | None:
    """Return our type for an OPC UA built-in type, or None where we have none for it."""
    return _TYPES.get(variant)


def variant_type(data_type: DataType) -> int:
    """Return the number of OPC UA's built-in type for one of ours."""
    return _VARIANTS[data_type]


def to_quality(status: int) -> Quality:
    """Return the Quality of a status code: its severity always, its reason where we have a word for it."""
    known = _REASONS.get(status & _CODE_MASK)
    if known is not None:
        return known
    match status & _SEVERITY_MASK:
        case 0:
            return Quality.GOOD
        case 0x4000_0000:
            return Quality.UNCERTAIN
        case _:
            return Quality.BAD


def to_status(quality: Quality) -> int:
    """Return a status code, uint32, of the same severity, and the same reason where OPC UA has a word for it."""
    return _STATUSES.get(quality, (quality << 24) & _SEVERITY_MASK)


def _identifier(text: str, found: re.Match[str]) -> str:
    identifier = found["identifier"]
    if len(identifier) > MAX_IDENTIFIER_LENGTH:
        raise InvalidTag(f"{text[:120]!r}...: an identifier is at most {MAX_IDENTIFIER_LENGTH} characters")
    match found["kind"]:
        case "i":
            if not re.fullmatch(r"[0-9]{1,10}", identifier) or int(identifier) > 0xFFFF_FFFF:
                raise InvalidTag(f"{text[:120]!r}: what follows i= is a number of at most 32 bits")
            return str(int(identifier))
        case "g":
            return _guid(text, identifier)
        case "b":
            return _opaque(text, identifier)
        case _:
            return identifier


def _guid(text: str, identifier: str) -> str:
    try:
        return str(UUID(identifier))
    except ValueError as error:
        raise InvalidTag(f"{text[:120]!r}: what follows g= is a GUID") from error


def _opaque(text: str, identifier: str) -> str:
    try:
        b64decode(identifier, validate=True)
    except (Base64Error, ValueError) as error:
        raise InvalidTag(f"{text[:120]!r}: what follows b= is base64") from error
    return identifier
