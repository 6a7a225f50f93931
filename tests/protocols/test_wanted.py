"""Wanted: which models a gateway shall run, as it travels; what is malformed is refused with the reason."""

import pytest

from protocols.delivery import State, decode, encode
from protocols.errors import InvalidContent
from protocols.wanted import (
    MAX_WANTED_BYTES,
    ModelStanding,
    Phase,
    Standing,
    Wanted,
    WantedModel,
    decode_wanted,
    encode_wanted,
)


def test_what_is_wanted_survives_the_wire() -> None:
    wanted = Wanted(7, (WantedModel("pump-1", "pump", 3, "pump/3.lsp", Phase.SHADOW, 600, "rollout-1"),))
    assert decode_wanted(encode_wanted(wanted)) == wanted


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "not wanted models"),
        (b"\xff\xfe", "not wanted models"),
        (b'{"revision": -1}', "revision"),
        (b'{"revision": 1, "modles": []}', "modles"),
        (b'{"revision": 1, "models": [{"device": "a", "name": "b", "version": 0, "path": "c"}]}', "version"),
        (
            b'{"revision": 1, "models": [{"device": "a", "name": "b", "version": 1, "path": "c", "phase": "x"}]}',
            "phase",
        ),
        (b" " * (MAX_WANTED_BYTES + 1), "over"),
    ],
)
def test_what_is_malformed_is_refused(payload: bytes, says: str) -> None:
    with pytest.raises(InvalidContent, match=says):
        decode_wanted(payload)


def test_two_models_for_one_device_are_refused() -> None:
    model = WantedModel("pump-1", "pump", 3, "pump/3.lsp")
    with pytest.raises(InvalidContent, match="2 models are wanted for pump-1"):
        decode_wanted(encode_wanted(Wanted(1, (model, model))))


def test_a_state_tells_how_each_device_is_judged() -> None:
    standing = ModelStanding("pump-1", "pump", 3, Standing.SHADOWING, rows=10, agreement=0.99, over=0.01)
    state = State(online=True, epoch=1, models=(standing,))
    assert decode(encode(state), State) == state


def test_a_state_of_an_older_agent_has_no_models() -> None:
    assert decode(b'{"online": true, "epoch": 1}', State).models == ()
