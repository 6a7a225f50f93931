"""Package: what is packed is what is unpacked; whatever is wrong with a file is said, and nothing of it is believed."""

from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InvalidContent, Oversized, ProtocolError, Truncated, UnknownVersion
from protocols.package import MAX_CARD_BYTES, Card, Lineage, Package, SelfTest, unpack_package
from protocols.scoring.model import Scoring, ScoringKind

NETWORK = b"\x00TFL3 and more"


def test_a_package_is_what_was_packed() -> None:
    assert unpack_package(package().pack()) == package()


@given(st.integers(0, len(NETWORK) + 1500))
def test_a_truncated_package_is_refused(length: int) -> None:
    data = package().pack()
    if length < len(data):
        with pytest.raises(ProtocolError):
            unpack_package(data[:length])


@given(st.integers(0, 1500), st.integers(1, 255))
def test_no_change_of_a_byte_goes_unseen_in_the_network(at: int, flip: int) -> None:
    data = bytearray(package().pack())
    where = len(data) - 1 - at % len(NETWORK)
    data[where] ^= flip
    with pytest.raises(InvalidContent, match="sha256"):
        unpack_package(bytes(data))


def test_a_file_of_another_kind_is_named_as_such() -> None:
    with pytest.raises(UnknownVersion, match="PK"):
        unpack_package(b"PK\x03\x04 a zip file of some length")


def test_a_card_beyond_the_bound_is_not_read() -> None:
    with pytest.raises(Oversized, match="card"):
        unpack_package(b"LSP1" + (MAX_CARD_BYTES + 1).to_bytes(4, "big"))


def test_a_file_longer_than_its_network_is_refused() -> None:
    with pytest.raises(Truncated, match="its card says"):
        unpack_package(package().pack() + b"!")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "../escape"}, "name"),
        ({"version": 0}, "version"),
        ({"network_bytes": "many"}, "network_bytes"),
        ({"self_test": {"rows": [[1.0]], "scores": [0.1]}}, "self_test.rows"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_card_is_refused_with_the_field_that_is_wrong(change: dict[str, object], says: str) -> None:
    card = msgspec.json.encode(msgspec.to_builtins(package().card) | change)
    with pytest.raises(InvalidContent, match=says):
        unpack_package(b"LSP1" + len(card).to_bytes(4, "big") + card + NETWORK)


def package() -> Package:
    scoring = Scoring(
        kind=ScoringKind.WHITENING,
        channels=("flow", "pressure"),
        period_s=1.0,
        spans=(5,),
        center=(0.0, 1.0),
        width=(1.0, 2.0),
        threshold=3.0,
    )
    card = Card(
        name="pump",
        version=3,
        scoring=scoring,
        self_test=SelfTest(((0.0, 1.0), (0.5, 1.5)), (0.1,)),
        lineage=Lineage(made_at_us=1, made_by="test", algorithm="whitening"),
        network_bytes=len(NETWORK),
        network_sha256=sha256(NETWORK).hexdigest(),
    )
    return Package(card, NETWORK)
