"""What Modbus frames look like where they are wrong, in words a person can act on. Pure."""

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
EXCEPTIONS = {
    ILLEGAL_FUNCTION: "illegal function",
    ILLEGAL_ADDRESS: "illegal address",
    ILLEGAL_VALUE: "illegal value",
    4: "device failure",
    5: "acknowledged, still working",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not respond",
}
GATEWAY_SILENT = frozenset({10, 11})
"""A gateway's words for a unit that does not answer."""
HEADER_BYTES = 6
SHOWN_BYTES = 16


def screen_tcp(data: bytes, number: bytes, unit: int, function: int) -> str:
    """Return why this beginning of an answer cannot become the one to a question; empty where it still can.

    number: the question's transaction number, 2 bytes; answers to earlier questions are for others to skip.
    """
    if len(data) < HEADER_BYTES + 2:
        return ""
    if data[2:4] != b"\0\0":
        return f"what came is not Modbus: {_shown(data)}"
    if data[:2] != number:
        return ""
    if unit and data[6] != unit:
        return f"unit {data[6]} answered instead"
    if data[7] & 0x7F != function:
        return f"an answer to function {data[7] & 0x7F} came, not to {function}"
    return ""


def unanswered(data: bytes, *, is_serial: bool) -> str:
    """Return what is wrong with bytes that came and never became an answer."""
    if is_serial or len(data) < HEADER_BYTES:
        return f"half a frame or garbage came: {_shown(data)}"
    announced = HEADER_BYTES + int.from_bytes(data[4:6], "big")
    if len(data) < announced:
        return f"half a frame came: {len(data)} of {announced} bytes"
    return f"only answers to earlier questions came: {_shown(data)}"


def _shown(data: bytes) -> str:
    return data[:SHOWN_BYTES].hex(" ") + (" ..." if len(data) > SHOWN_BYTES else "")
