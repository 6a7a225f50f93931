"""Acks, hellos and states come through as they are, and one that was bent on its way is refused."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.delivery import Ack, EpochMarks, EpochRange, Hello, State, decode, encode
from protocols.errors import InvalidContent

ACK = Ack(1_795_344_770, (EpochMarks(4_853_575_746_345_173_492, 45, ((47, 50),), a=12),), nonce=7)
HELLO = Hello(7, "1.0", (EpochRange(9, 1, 70, closed=False),), wall_us=5, monotonic_us=6, generation=3)
STATE = State(online=True, epoch=9, version="1.0")


def test_a_message_is_json_that_any_client_can_read_and_comes_back_as_it_was() -> None:
    assert len(json.loads(encode(ACK))["crc"]) == 8
    assert decode(encode(ACK), Ack) == ACK
    assert decode(encode(HELLO), Hello) == HELLO
    assert decode(encode(STATE), State) == STATE


@given(at=st.integers(0, len(encode(ACK)) * 8 - 1))
def test_an_ack_with_a_bit_flipped_is_refused_or_says_the_same(at: int) -> None:
    payload = bytearray(encode(ACK))
    payload[at // 8] ^= 1 << at % 8
    with suppress(InvalidContent):
        assert decode(bytes(payload), Ack) == ACK


def test_a_digit_that_was_changed_is_told() -> None:
    payload = encode(ACK).replace(b'"c":45', b'"c":65')
    with pytest.raises(InvalidContent, match="does not have the crc"):
        decode(payload, Ack)


def test_a_message_written_by_hand_needs_no_crc() -> None:
    assert decode(b'{"online": true, "epoch": 3}', State) == State(online=True, epoch=3)
