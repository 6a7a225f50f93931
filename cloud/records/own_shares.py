"""The share of rows that each Device's model cries by itself, as its card promises: cross-fitted."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.records.models import ModelRow, ModelVersionRow
from cloud.records.wanted import WantedModelRow


def own_alarm_shares(session: Session) -> Mapping[tuple[str, str], float]:
    """Return the share by source and device, for Devices that run a Model of ours whose card says it."""
    cards = (
        select(WantedModelRow.gateway, WantedModelRow.device, ModelVersionRow.card)
        .join(ModelRow, ModelRow.name == WantedModelRow.name)
        .join(
            ModelVersionRow,
            (ModelVersionRow.model_id == ModelRow.id) & (ModelVersionRow.version == WantedModelRow.version),
        )
    )
    found = {(source, device): _share(card) for source, device, card in session.execute(cards)}
    return {whose: share for whose, share in found.items() if share is not None}


def _share(card: Mapping[str, object]) -> float | None:
    scoring = card.get("scoring")
    share = scoring.get("alarm_share") if isinstance(scoring, Mapping) else None
    return float(share) if isinstance(share, int | float) and not isinstance(share, bool) else None
