"""POST /detection/predict, /detection/explain and /ml/detect_anomaly: which rows or readings are strange, and why."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from cloud.api.deps import AnomalyFinder, ServicesDep
from cloud.api.detection_views import (
    EXPLAINED,
    FOUND,
    PREDICTED,
    DetectAnomalyBody,
    DetectBody,
    DetectedView,
    ExplainBody,
    ExplainedView,
    ExplanationView,
    FoundView,
    ScoreSummary,
    show_anomalies,
)
from cloud.api.document import answers
from cloud.api.errors import MISSING_IS_400
from cloud.api.inference_views import model_info, summary_of
from cloud.api.limits import limited_as_documented
from cloud.api.resource import Resource
from cloud.domain.times import to_datetime, to_us
from cloud.errors import Invalid, NotFound
from cloud.learning import inference
from cloud.learning.rows import order_of, read_sheet_rows
from cloud.learning.sensed import Sensed, judge_readings
from cloud.learning.shelf import Ready
from cloud.learning.table import Floats
from cloud.operations.history import PRIMARY, choose_series
from cloud.ports import Series
from cloud.services import Services, Views
from protocols.reading import SEVERITY_MASK, Kind, Quality

router = Resource(tags=["detection"])
_ERRORS = (401, 403, 404, 409, 422, 503)
_MOST_ROWS = 200_000
_USUAL_THRESHOLD = 0.5
_PAST_S = 86_400.0
_MOST_PAST = 500
_MOST_READ = 20_000
_LEAST_QUALITY = 0.5


@router.post(
    "/detection/predict",
    summary="Find anomalies in rows",
    dependencies=[limited_as_documented()],
    responses=answers(PREDICTED, *_ERRORS),
)
async def detect(body: DetectBody, _caller: AnomalyFinder, services: ServicesDep) -> DetectedView:
    """Judge rows with a fitted detector; without a threshold by the detector's own."""
    return await services.judging.run(lambda _: _detect(services, body))


@router.post(
    "/detection/explain",
    summary="Explain one row",
    dependencies=[limited_as_documented()],
    responses=answers(EXPLAINED, *_ERRORS),
)
async def explain(body: ExplainBody, _caller: AnomalyFinder, services: ServicesDep) -> ExplainedView:
    """Say how much each feature has to do with what is said of a row; trees exactly, others by leaving out."""
    return await services.judging.run(lambda _: _explain(services, body))


@router.post(
    "/ml/detect_anomaly",
    summary="Find anomalies in readings",
    responses=answers(FOUND, 400, *_ERRORS),
    openapi_extra={MISSING_IS_400: True},
)
async def detect_anomaly(body: DetectAnomalyBody, _caller: AnomalyFinder, services: ServicesDep) -> FoundView:
    """Judge readings of sensors; more sensitivity never finds fewer."""
    past = await services.threads.run(lambda views: _past(services, views, body))
    return await services.judging.run(lambda _: _find(services, body, past))


def _detect(services: Services, body: DetectBody) -> DetectedView:
    began_s = services.clock.monotonic_s()
    if (body.dataset_id is None) == (body.data is None):
        issue = "give exactly one of dataset_id and data"
        raise Invalid(issue, code="INVALID_PARAMETERS", details={"field": "data", "issue": issue})
    ready = _fitted(services, body.detector_id)
    if body.data is not None:
        found = inference.scores_of(ready, inference.table_of(ready, body.data, field="data")).score
    else:
        found = _of_dataset(services, ready, f"{body.dataset_id}")
    threshold = _USUAL_THRESHOLD if body.threshold is None else body.threshold
    is_over = found > threshold
    scores = found.tolist()
    return DetectedView(
        predictions=is_over.astype(int).tolist(),
        anomaly_scores=scores if body.return_scores else None,
        anomaly_count=int(is_over.sum()),
        anomaly_rate=float(is_over.mean()) if len(scores) else 0.0,
        processing_time_ms=round(1000 * (services.clock.monotonic_s() - began_s)),
        threshold_used=threshold,
        summary=ScoreSummary(total_samples=len(scores), **summary_of(scores)),
    )


def _of_dataset(services: Services, ready: Ready, dataset_id: str) -> Floats:
    """Return the scores of a dataset's rows in the order of the file."""
    sheet = services.datasets.sheet(dataset_id, most_rows=_MOST_ROWS)
    found = np.empty(len(sheet))
    found[order_of(sheet)] = inference.scores_of(ready, read_sheet_rows(ready.learned, sheet)).score
    return found


def _explain(services: Services, body: ExplainBody) -> ExplainedView:
    ready = _explained(services, body.detector_id)
    table = inference.table_of(ready, [body.instance], field="instance")
    names = ready.learned.columns if body.feature_names is None else body.feature_names
    unknown = [name for name in names if name not in ready.learned.columns]
    if unknown:
        issue = f"{unknown[0]!r:.80} is none of the model's features"
        raise Invalid(f"feature_names: {issue}", details={"field": "feature_names", "issue": issue})
    (said,) = inference.answers(ready, table)
    why = inference.reason(ready, table)
    value = said.score if said.score is not None else said.confidence
    prediction = value if value is not None else float(said.prediction)
    return ExplainedView(
        explanation=ExplanationView(
            feature_importance=dict(sorted(why.importances.items(), key=lambda item: -item[1])),
            values=[why.importances[name] for name in names],
        ),
        method_used=why.method,
        prediction=prediction,
        confidence=max(prediction, 1 - prediction) if said.score is not None else said.confidence or 0.0,
        shap_space=why.space if why.method == "shap" else None,
    )


def _find(services: Services, body: DetectAnomalyBody, past: Mapping[str, Floats]) -> FoundView:
    model, ready = services.inference.chosen(body.model_name, body.model_version)
    readings = [
        Sensed(index, one.sensor_id, one.sensor_type.value, one.value, _time_us(one.timestamp))
        for index, one in enumerate(body.sensor_readings)
        if one.quality >= _LEAST_QUALITY
    ]
    told = judge_readings(ready, readings, past, inference.false_alarm_share(body.sensitivity))
    anomalies = {index: told.scores[index] for index in told.anomalies}
    return FoundView(
        anomalies_detected=show_anomalies(body.sensor_readings, anomalies),
        anomaly_count=len(anomalies),
        total_readings_analyzed=len(told.scores),
        threshold_used=told.level,
        scales=dict(told.scales),
        not_judged=dict(told.unjudged),
        model_info=model_info(model.id, model.stage_of(ready.version).value, ready),
        analysis_timestamp=to_datetime(services.clock.now_us()),
    )


def _fitted(services: Services, detector_id: str) -> Ready:
    detector = services.detectors.fitted(detector_id)
    return services.inference.ready(services.models.version(detector.model, detector.fitted_version))


def _explained(services: Services, detector_id: str) -> Ready:
    """Return a fitted detector, or any other model by its name or id."""
    try:
        return _fitted(services, detector_id)
    except NotFound as missing:
        try:
            return services.inference.chosen(detector_id)[1]
        except NotFound:
            raise missing from None


def _past(services: Services, views: Views, body: DetectAnomalyBody) -> Mapping[str, Floats]:
    """Return the newest stored values of each sensor before those sent."""
    firsts: dict[str, int] = {}
    now_us = services.clock.now_us()
    for one in body.sensor_readings:
        at_us = _time_us(one.timestamp)
        firsts[one.sensor_id] = min(firsts.get(one.sensor_id, now_us), now_us if at_us is None else at_us)
    found = {sensor: _stored(services, views, sensor, at_us) for sensor, at_us in firsts.items()}
    return {sensor: values for sensor, values in found.items() if values is not None}


def _stored(services: Services, views: Views, sensor_id: str, end_us: int) -> Floats | None:
    try:
        device = services.registry.find(sensor_id, views.store.devices)
        series = views.store.series(source=device.source, device=device.device_id)
        chosen = choose_series(series, device_id=sensor_id, metric=PRIMARY)
    except NotFound:
        return None
    return _newest(views, chosen, end_us)


def _newest(views: Views, series: Series, end_us: int) -> Floats | None:
    if series.kind is Kind.TEXT:
        return None
    span_s = min(_PAST_S, 2 * _MOST_PAST * series.period_s) if series.period_s > 0 else _PAST_S
    start_us = max(0, end_us - round(span_s * 1e6))
    points = views.store.points(series, start_us=start_us, end_us=end_us, limit=_MOST_READ)
    values = points.value.astype(np.float64)
    usable = np.isfinite(values) & ((points.quality & SEVERITY_MASK) != Quality.BAD)
    return np.asarray(values[usable][-_MOST_PAST:], np.float64)


def _time_us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at if at.tzinfo is not None else at.replace(tzinfo=UTC))
