"""Package: a model on the wire; one file of a card that people can read and the network's bytes.

    "LSP1" | length of the card, 4 bytes, big-endian | card as JSON | network as TFLite

The card says the network's length and sha256. A signature is not here: the repository signs the whole file.
"""

import struct
from hashlib import sha256
from typing import Annotated

import msgspec

from protocols.batch import Words
from protocols.errors import InvalidContent, Oversized, Truncated, UnknownVersion
from protocols.scoring.model import Scoring

MAGIC = b"LSP1"
MAX_CARD_BYTES = 1024 * 1024
MAX_NETWORK_BYTES = 16 * 1024 * 1024
MAX_PACKAGE_BYTES = 8 + MAX_CARD_BYTES + MAX_NETWORK_BYTES
MODEL_NAME = r"^[a-z0-9][a-z0-9_.-]{0,99}$"


class SelfTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows, each as long as there are channels, and the score 0..1 that a scorer which sees only them gives the last.

    tolerance: how far a runtime's int8 arithmetic may move it.
    """

    rows: Annotated[tuple[tuple[float, ...], ...], msgspec.Meta(min_length=1, max_length=2_000)]
    scores: tuple[float, ...]
    tolerance: float = 0.05


class Lineage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where it comes from; times in microseconds since the epoch; devices: whose rows, as `source/device`."""

    made_at_us: int
    made_by: Words
    algorithm: Words
    rows: int = 0
    from_us: int = 0
    to_us: int = 0
    devices: tuple[Words, ...] = ()
    labels: int = 0
    dataset: Words = ""


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All about a model beside its network. is_fleet: scale and threshold are learned anew by each asset."""

    name: Annotated[str, msgspec.Meta(pattern=MODEL_NAME)]
    version: Annotated[int, msgspec.Meta(ge=1)]
    scoring: Scoring
    self_test: SelfTest
    lineage: Lineage
    metrics: dict[str, float] = msgspec.field(default_factory=dict)
    is_fleet: bool = False
    network_bytes: int
    network_sha256: str


class Package(msgspec.Struct, frozen=True):
    """A model as it travels."""

    card: Card
    network: bytes

    def pack(self) -> bytes:
        """Return the file."""
        card = msgspec.json.encode(self.card)
        return MAGIC + struct.pack(">I", len(card)) + card + self.network


def unpack_package(data: bytes) -> Package:
    """Return the package; raise MalformedFrame or InvalidContent that says what is wrong with it."""
    if len(data) > MAX_PACKAGE_BYTES:
        raise Oversized(f"a package of {len(data)} bytes is over {MAX_PACKAGE_BYTES}")
    if len(data) < 8:
        raise Truncated(f"a package of {len(data)} bytes ends within its first 8")
    if data[:4] != MAGIC:
        raise UnknownVersion(f"no package begins with {data[:4]!r}; {MAGIC!r} does")
    (length,) = struct.unpack_from(">I", data, 4)
    if length > MAX_CARD_BYTES:
        raise Oversized(f"a package's card of {length} bytes is over {MAX_CARD_BYTES}")
    if len(data) < 8 + length:
        raise Truncated(f"a package of {len(data)} bytes ends within its card of {length}")
    card = _card(data[8 : 8 + length])
    network = data[8 + length :]
    if len(network) != card.network_bytes:
        raise Truncated(f"the network has {len(network)} bytes, its card says {card.network_bytes}")
    if sha256(network).hexdigest() != card.network_sha256:
        raise InvalidContent("the network is not the one that its card names by sha256")
    return Package(card, network)


def _card(data: bytes) -> Card:
    try:
        card = msgspec.json.decode(data, type=Card)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidContent(f"the package's card: {error}") from error
    n_channels = len(card.scoring.channels)
    if any(len(row) != n_channels for row in card.self_test.rows):
        raise InvalidContent(f"the package's card: self_test.rows: each must have {n_channels} values")
    return card
