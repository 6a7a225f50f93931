"""RetrainRequest: which detector learns anew, and why; what it does not say is as the serving model has it."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from cloud.domain.retraining import Cause
from cloud.errors import Invalid
from cloud.learning.drawing import Wish
from protocols.package import Card

RIVALS = 3
"""How many candidates learn where a model learns anew by itself."""
_DAY_US = 86_400 * 1_000_000


class RetrainRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which model learns anew, and why; devices: `source/device`; days: of readings up to `end_us`, 0 for now.

    rivals: how many candidates learn; the best of them is the challenger.
    """

    model: str
    cause: Cause = Cause.REQUEST
    days: float = 14.0
    end_us: int = 0
    devices: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    period_s: float = 0.0
    algorithm: str = ""
    settings: dict[str, object] = {}
    seed: int = 0
    rivals: Annotated[int, msgspec.Meta(ge=1, le=RIVALS)] = 1

    def parameters(self) -> dict[str, object]:
        """Return the request as a job carries it."""
        told: dict[str, object] = msgspec.to_builtins(self)
        return told

    def filled(self, card: Card | None) -> "RetrainRequest":
        """Return the request with all that it leaves to the model of before; raise Invalid that names the field."""
        request = self
        if card is not None:
            request = msgspec.structs.replace(
                self,
                devices=self.devices or card.lineage.devices,
                tags=self.tags or card.scoring.channels,
                period_s=self.period_s or card.scoring.period_s,
                algorithm=self.algorithm or card.lineage.algorithm,
            )
        if not request.devices:
            raise _invalid("devices", "a new model must be told whose readings it learns from")
        return request

    def wish(self, now_us: int) -> Wish:
        """Return which rows it needs; raise Invalid for a Device that is none."""
        end_us = self.end_us or now_us
        devices = tuple(device_pair(one) for one in self.devices)
        start_us = end_us - round(self.days * _DAY_US)
        return Wish(devices, start_us, end_us, self.tags, self.period_s, only_floats=True)


def parse_request(parameters: Mapping[str, object]) -> RetrainRequest:
    """Return the request that a job carries; raise Invalid that names the field."""
    try:
        return msgspec.convert(parameters, RetrainRequest)
    except msgspec.ValidationError as error:
        raise Invalid(f"retraining: {error}", code="INVALID_PARAMETERS") from error


def device_pair(text: str) -> tuple[str, str]:
    """Return source and id of `source/device`; raise Invalid for anything else."""
    source, slash, device = text.partition("/")
    if not slash or not device:
        raise _invalid("devices", f"{text!r:.100} is not written source/device")
    return source, device


def _invalid(name: str, issue: str) -> Invalid:
    return Invalid(f"{name}: {issue}", code="INVALID_PARAMETERS", details={"field": name, "issue": issue})
