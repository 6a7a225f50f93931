"""TrainRequest: what somebody wants learned from which dataset; all of it is checked before a job begins."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from cloud.domain.dataset import ColumnKind, Dataset
from cloud.errors import Invalid
from protocols.package import MODEL_NAME

Split = Annotated[float, msgspec.Meta(gt=0, le=0.9)]
AnyTask = Literal["", "anomaly", "classification", "regression", "forecast"]


NAMED_TASKS: Mapping[str, AnyTask] = {
    "auto": "",
    "anomaly": "anomaly",
    "classification": "classification",
    "regression": "regression",
    "forecast": "forecast",
}
"""Tasks by the words of those who ask."""


class TrainRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """task, algorithm, target empty: by what the dataset holds; test_split: the last share of rows, which judges.

    group: the column that says which machine a row is of; save: whether a version of the model is kept;
    experiment: the id of the one that this training is a run of, empty for none; detector: the id of the one that is
    fitted, with the revision of its hyperparameters.
    """

    dataset_id: str
    model: Annotated[str, msgspec.Meta(pattern=MODEL_NAME)]
    task: AnyTask = ""
    algorithm: str = ""
    target: str = ""
    features: tuple[str, ...] = ()
    group: str = ""
    settings: dict[str, object] = {}
    test_split: Split = 0.2
    seed: int = 0
    cross_validation: bool = False
    save: bool = True
    experiment: str = ""
    detector: str = ""
    detector_revision: int = 0

    def parameters(self) -> dict[str, object]:
        """Return the request as a job carries it."""
        told: dict[str, object] = msgspec.to_builtins(self)
        return told

    def check_against(self, dataset: Dataset) -> None:
        """Raise Invalid that names the field or column, for what no training could make good."""
        target = self.target or dataset.target
        if target:
            column = dataset.column(target, field="target_column")
            if column.is_constant:
                raise _invalid("target_column", f"column {target!r}: one class only, or one value; two are needed")
        features = [dataset.column(name, field="features") for name in self.features]
        constant = [one.name for one in features or dataset.features if one.is_constant and one.name != target]
        if constant and self.task != "anomaly":
            named = ", ".join(map(repr, constant[:10]))
            raise _invalid("features", f"column {named}: always the same; name the features without it")
        empty = [one.name for one in features or dataset.features if one.missing == dataset.n_rows]
        if empty:
            raise _invalid("features", f"column {empty[0]!r}: every value is missing")
        if not features and not [one for one in dataset.features if one.name != target]:
            raise _invalid("features", "the dataset has no other column than the target and the time")
        if self.group and dataset.column(self.group, field="group_column").kind is not ColumnKind.CATEGORY:
            raise _invalid("group_column", f"column {self.group!r} must hold texts")


def parse_train_request(parameters: Mapping[str, object]) -> TrainRequest:
    """Return the request that a job carries; raise Invalid that names the field."""
    try:
        return msgspec.convert(parameters, TrainRequest)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`") if "$." in str(error) else ""
        raise Invalid(str(error), code="INVALID_PARAMETERS", details={"field": field, "issue": str(error)}) from error


def _invalid(name: str, issue: str) -> Invalid:
    return Invalid(f"{name}: {issue}", code="INVALID_PARAMETERS", details={"field": name, "issue": issue})
