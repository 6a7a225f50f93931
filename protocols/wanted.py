"""Which model a gateway shall run on which Device, as the cloud wants it, and how that stands, as the gateway says.

`Wanted` is retained on `v1/gw/{g}/models`; `ModelStanding` goes with the gateway's state. A message names packages
by their path in the signed repository: what it says is only a wish until the signatures hold.
"""

from collections import Counter
from enum import StrEnum
from typing import Annotated

import msgspec

from protocols.batch import Whole, Words
from protocols.errors import InvalidContent

MAX_WANTED_BYTES = 256 * 1024
MAX_MODELS = 1_000
OWN = "own"
"""The name of the model that a gateway fitted by itself; its version counts its fits."""


class Phase(StrEnum):
    """How far a Device may go with a model, and how far it is."""

    SHADOW = "shadow"
    """It scores the same rows beside the serving model and opens nothing."""
    SERVING = "serving"
    """It decides; the model before it is kept."""


class WantedModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One package for one Device; path: of the package in the repository; rollout: who wants it, for the receipts.

    phase SHADOW: run beside the serving model until told otherwise; SERVING: shadow for `shadow_rows` rows first,
    then swap, if self-test, load and deadline hold.
    """

    device: Words
    name: Words
    version: Annotated[int, msgspec.Meta(ge=1)]
    path: Words
    phase: Phase = Phase.SERVING
    shadow_rows: Whole = 0
    rollout: Words = ""


class Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the cloud wants of one gateway's models; a Device that is not named goes back to its own model.

    revision rises with every change: a lower one than seen is void.
    """

    revision: Whole
    models: Annotated[tuple[WantedModel, ...], msgspec.Meta(max_length=MAX_MODELS)] = ()


class Standing(StrEnum):
    """What became of a model on a Device."""

    LEARNING = "learning"
    """No model yet: normal rows are being collected."""
    FETCHING = "fetching"
    SHADOWING = "shadowing"
    SERVING = "serving"
    REFUSED = "refused"
    """The package was not taken: signature, self-test, inputs; `reason` says which."""
    ROLLED_BACK = "rolled_back"
    """It served and failed; the model before it serves again."""
    OFF = "off"
    """No model judges: too slow or failing too often; rules go on."""


class ModelStanding(msgspec.Struct, frozen=True, omit_defaults=True):
    """How one Device is judged, or how a wanted model came out.

    rows: scored by this model since it came; agreement: share of the shadow's rows on which both say the same; over:
    share of rows over the threshold; invoke_us: median time of one row with scaling and scoring; alarms: opened;
    bytes: of the network; calibrated: rows not learned from that its threshold was set anew by, and times how many
    deviations of before it is.
    """

    device: Words
    name: Words
    version: Whole
    standing: Standing
    rollout: Words = ""
    reason: Words = ""
    rows: Whole = 0
    agreement: float | None = None
    over: float | None = None
    invoke_us: float | None = None
    alarms: Whole = 0
    bytes: Whole = 0
    calibrated: Whole = 0
    times: float | None = None


def encode_wanted(wanted: Wanted) -> bytes:
    """Return the message as JSON."""
    return msgspec.json.encode(wanted)


def decode_wanted(payload: bytes) -> Wanted:
    """Return the message; raise InvalidContent that says what is wrong and where."""
    if len(payload) > MAX_WANTED_BYTES:
        raise InvalidContent(f"wanted models of {len(payload)} bytes are over {MAX_WANTED_BYTES}")
    try:
        wanted = msgspec.json.decode(payload, type=Wanted)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidContent(f"not wanted models: {error}") from error
    device, times = next(iter(Counter(one.device for one in wanted.models).most_common(1)), ("", 0))
    if times > 1:
        raise InvalidContent(f"{times} models are wanted for {device}")
    return wanted
