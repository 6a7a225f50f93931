"""POST /predict/{model_id} and /ml/predict: what deployed models say of rows, with reasons."""

from typing import Any

from cloud.api.deps import Predictor, ServicesDep
from cloud.api.document import answers
from cloud.api.errors import MISSING_IS_400
from cloud.api.inference_views import (
    ANSWERED,
    PREDICTED,
    AnswerView,
    AskBody,
    PredictBody,
    PredictedView,
    model_info,
    show_answer,
)
from cloud.api.resource import Resource
from cloud.domain.times import to_datetime
from cloud.learning import inference
from cloud.learning.rows import alike
from cloud.services import Services

router = Resource(tags=["inference"])


@router.post(
    "/predict/{model_id}",
    summary="Predict with a deployed model",
    responses=answers(PREDICTED, 401, 403, 404, 409, 422, 503),
)
async def predict(model_id: str, body: PredictBody, _caller: Predictor, services: ServicesDep) -> PredictedView:
    """Foretell each row with the version that serves, by the model's id or name."""

    def work(_: object) -> PredictedView:
        model, ready = services.inference.serving(model_id)
        table = inference.table_of(ready, body.data, field="data")
        return PredictedView(
            predictions=[show_answer(one) for one in inference.answers(ready, table)],
            model_id=model.id,
            version=ready.version.version,
            timestamp=to_datetime(services.clock.now_us()),
        )

    return await services.judging.run(work)


@router.post(
    "/ml/predict",
    summary="Predict one row, with reasons",
    responses=answers(ANSWERED, 400, 401, 403, 404, 409, 422, 503),
    openapi_extra={MISSING_IS_400: True},
)
async def ask(body: AskBody, _caller: Predictor, services: ServicesDep) -> AnswerView:
    """Foretell one row with any version of a model; feature names may be written with other signs between letters."""
    return await services.judging.run(lambda _: _answer(services, body))


def _answer(services: Services, body: AskBody) -> AnswerView:
    model, ready = services.inference.chosen(body.model_name, body.model_version)
    table = inference.table_of(ready, [alike(ready.learned, body.features)], field="features")
    (found,) = inference.answers(ready, table)
    return AnswerView(
        prediction=found.prediction,
        confidence=found.confidence,
        probabilities=dict(found.probabilities),
        decision=found.decision,
        model_info=model_info(model.id, model.stage_of(ready.version).value, ready),
        timestamp=to_datetime(services.clock.now_us()),
        **(_reasons(inference.reason(ready, table)) if inference.has_exact_reasons(ready) or body.explain else {}),
    )


def _reasons(why: inference.Reason) -> dict[str, Any]:
    """Return the reasons; only values that add up to what the model said are called SHAP values."""
    told: dict[str, Any] = {"feature_importance": dict(why.importances), "method_used": why.method}
    if why.method == "shap":
        told |= {
            "shap_values": dict(why.contributions),
            "shap_base_value": why.base,
            "shap_space": why.space,
            "model_output": why.output,
        }
    return told
