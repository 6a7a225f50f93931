"""UsualTraining: what a training does where its request does not say, by the settings of the installation."""

from dataclasses import dataclass

from cloud.records.database import Records
from cloud.records.settings import is_set, number_of, text_of


@dataclass(frozen=True, slots=True)
class UsualTraining:
    """How long it may run, what it makes out of its target, and whether its model is kept."""

    limit_s: float
    model_type: str
    saves: bool


def usual_training(records: Records) -> UsualTraining:
    """Return what holds now; raise Unavailable."""
    with records.reading() as session:
        return UsualTraining(
            limit_s=number_of(session, "training.defaultTimeout"),
            model_type=text_of(session, "training.defaultModelType"),
            saves=is_set(session, "training.autoSaveModels"),
        )
