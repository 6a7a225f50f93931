"""GET /algorithms: what can learn, and what may be set of it; static data that a client keeps, by its ETag."""

from dataclasses import asdict
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from fastapi import Header, Response
from pydantic import BaseModel

from cloud.api.deps import LearningReader
from cloud.api.document import answers
from cloud.api.limits import limited
from cloud.api.resource import Resource
from cloud.learning.catalogue import catalogue

router = Resource(prefix="/algorithms", tags=["detectors"], dependencies=[limited("100/minute")])
_EXAMPLE = [
    {
        "name": "isolation_forest",
        "task": "anomaly",
        "summary": "Strange rows of a table, each by itself; knows no time.",
        "aliases": ["IsolationForest"],
        "parameters": {"n_estimators": {"type": "integer", "default": 100, "minimum": 10, "maximum": 1000}},
    }
]


class AlgorithmAnswer(BaseModel):
    """One algorithm; parameters: a JSON schema by name; aliases: other names that requests may use."""

    name: str
    task: str
    summary: str
    aliases: list[str]
    parameters: dict[str, dict[str, Any]]


@router.get(
    "",
    response_model=list[AlgorithmAnswer],
    responses=answers(_EXAMPLE, 401, 403, 422, 429, 503) | {304: {"description": "What the client has is current"}},
)
async def list_algorithms(
    _caller: LearningReader, if_none_match: Annotated[str, Header(max_length=1000)] = ""
) -> Response:
    """List the algorithms; 304 to a client that sends the ETag of what it has."""
    body = msgspec.json.encode([asdict(one) for one in catalogue()])
    tag = f'"{sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=3600"}
    if tag in if_none_match or if_none_match.strip() == "*":
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "X-Total-Count": str(len(catalogue()))}, media_type="application/json")
