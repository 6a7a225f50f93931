"""Slot: which models one Device has, and what is next for it; pure, so that every path can be tested.

Invariants: `current` is what serves or shall serve at the next start; `previous` is what served before it and was
never found at fault; what was refused or fell is not tried again until something else is wanted, but for refusals
that the repository or this machine may mend.
"""

from enum import StrEnum

import msgspec

from edge_agent.models.errand import Reason
from protocols.batch import Words
from protocols.wanted import OWN, ModelStanding, Phase, Standing, WantedModel


class Kept(msgspec.Struct, frozen=True):
    """A package on this gateway's disk that passed its trial; sha256: of the file, and its name."""

    name: Words
    version: int
    sha256: str
    size: int
    rollout: Words = ""

    @property
    def label(self) -> tuple[str, int]:
        """Return its name and version."""
        return self.name, self.version

    def is_what(self, wanted: WantedModel) -> bool:
        """Return whether this is the model that is wanted."""
        return self.label == (wanted.name, wanted.version)


class Fallen(msgspec.Struct, frozen=True):
    """A model that was not taken or did not stay, and why; standing: REFUSED or ROLLED_BACK."""

    name: Words
    version: int
    rollout: Words
    standing: Standing
    reason: Reason
    detail: Words = ""

    def is_what(self, wanted: WantedModel) -> bool:
        """Return whether this is about what is wanted now."""
        return (self.name, self.version, self.rollout) == (wanted.name, wanted.version, wanted.rollout)

    def shown(self, device: str) -> ModelStanding:
        """Return it as the cloud is told."""
        return ModelStanding(device, self.name, self.version, self.standing, self.rollout, self.reason.value)


class Slot(msgspec.Struct, frozen=True):
    """The models of one Device."""

    current: Kept | None = None
    previous: Kept | None = None
    challenger: Kept | None = None
    fallen: Fallen | None = None

    @property
    def files(self) -> frozenset[str]:
        """Return the sha256 of every package that is needed."""
        return frozenset(one.sha256 for one in (self.current, self.previous, self.challenger) if one is not None)

    def challenged(self, kept: Kept) -> "Slot":
        """Return the slot with this model in the shadow."""
        return msgspec.structs.replace(self, challenger=kept, fallen=None)

    def swapped(self) -> "Slot":
        """Return the slot with the challenger serving and what served before it kept."""
        return Slot(current=self.challenger, previous=self.current)

    def dismissed(self) -> "Slot":
        """Return the slot without a challenger."""
        return msgspec.structs.replace(self, challenger=None)

    def refused(self, wanted: WantedModel, reason: Reason, detail: str) -> "Slot":
        """Return the slot after a wanted package was not taken; what serves stays."""
        fallen = Fallen(wanted.name, wanted.version, wanted.rollout, Standing.REFUSED, reason, detail[:500])
        return msgspec.structs.replace(self, challenger=None, fallen=fallen)

    def went_back(self, wanted: WantedModel | None, reason: Reason) -> "Slot":
        """Return the slot with the model before the current one, or none.

        Where the current one is what is wanted, it has fallen for this reason.
        """
        fallen = self.fallen
        if self.current is not None and wanted is not None and self.current.is_what(wanted):
            fallen = Fallen(wanted.name, wanted.version, wanted.rollout, Standing.ROLLED_BACK, reason)
        return Slot(current=self.previous, challenger=self.challenger, fallen=fallen)


class Step(StrEnum):
    """What to do next for a Device."""

    REST = "rest"
    BRING = "bring"
    """Fetch the wanted package, try it, and let it challenge."""
    SWAP = "swap"
    GO_BACK = "go_back"
    """To the model before this one, which is what the cloud wants again."""
    LEAVE = "leave"
    """Back to the gateway's own model."""
    DISMISS = "dismiss"
    """The challenger is not wanted any more."""
    FALLEN = "fallen"
    """The Judge has taken the current model out."""
    FAILED = "failed"
    """The Judge has taken the challenger out."""
    TOO_SLOW = "too_slow"
    """The challenger is right for long enough, and not in time."""


class Seen(msgspec.Struct, frozen=True):
    """What the Judge shows: name and version of what serves and of the challenger, its rows, and whether it is late."""

    serving: tuple[str, int] = (OWN, 0)
    challenger: tuple[str, int] | None = None
    rows: int = 0
    is_late: bool = False


def next_step(slot: Slot, wanted: WantedModel | None, seen: Seen) -> Step:
    """Return what to do next; wanted: None where the cloud wants no model on this Device."""
    if slot.current is not None and slot.current.label != seen.serving:
        return Step.FALLEN
    if slot.challenger is not None and slot.challenger.label != seen.challenger:
        return Step.FAILED
    if slot.challenger is not None and (wanted is None or not slot.challenger.is_what(wanted)):
        return Step.DISMISS
    if wanted is None:
        return Step.LEAVE if slot.current else Step.REST
    return _towards(slot, wanted, seen)


def _towards(slot: Slot, wanted: WantedModel, seen: Seen) -> Step:
    if slot.current is not None and slot.current.is_what(wanted):
        return _of_current(slot, wanted)
    if slot.challenger is not None:
        return _of_challenger(wanted, seen)
    if slot.fallen is not None and slot.fallen.is_what(wanted):
        return Step.BRING if slot.fallen.reason.may_pass else Step.REST
    if wanted.phase is Phase.SERVING and slot.previous is not None and slot.previous.is_what(wanted):
        return Step.GO_BACK
    return Step.BRING


def _of_challenger(wanted: WantedModel, seen: Seen) -> Step:
    if wanted.phase is Phase.SHADOW or seen.rows < wanted.shadow_rows:
        return Step.REST
    return Step.TOO_SLOW if seen.is_late else Step.SWAP


def _of_current(slot: Slot, wanted: WantedModel) -> Step:
    if slot.challenger is not None:
        return Step.DISMISS
    return Step.GO_BACK if wanted.phase is Phase.SHADOW else Step.REST
