"""Idempotency-Key: `dependencies=[idempotent()]` makes a POST happen once a key, whichever process is asked.

The first one does it; whoever repeats it within ten minutes gets the same answer, and waits for it where the first one
is still at it. Another body under the same key is 422. What was refused is not kept: it may be tried again.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Header, Request
from starlette.responses import Response

from cloud.api.deps import Guest, ServicesDep
from cloud.api.wire import App, Message, Receive, Scope, Send
from cloud.domain.api_key import Principal
from cloud.domain.idempotency import Answer, Claim, Claimed, Slot
from cloud.errors import Conflict
from cloud.operations.idempotency import LONG, Idempotency

_CLAIM = "claim"
_MOST_BYTES = 8 << 20
"""A longer answer is not kept: a repeat is told so."""
_KEPT = frozenset({"content-type", "location", "link", "x-total-count"})
_REPLAYED = "Idempotency-Replayed"


class Replayed(Exception):
    """This was done before, and this was the answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("done before")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class _Held:
    """The key that this request holds until it is answered."""

    idempotency: Idempotency[Any]
    slot: Slot


def idempotent() -> Any:  # noqa: ANN401 - FastAPI's dependencies have no public type
    """Return the dependency that makes a POST with a JSON body, or with none, happen once an Idempotency-Key."""
    return Depends(_claim)


def replay(replayed: Replayed) -> Response:
    """Return the kept answer."""
    answer = replayed.answer
    return Response(answer.body, answer.status, {**answer.headers, _REPLAYED: "true"})


async def _claim(
    request: Request,
    services: ServicesDep,
    guest: Guest,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=255, description="Done once a key; repeats get the same answer.")
    ] = None,
) -> None:
    if idempotency_key is None or guest is None:
        return
    slot = Slot(guest.name, request.scope["route"].name, idempotency_key)
    offer = Claim(Claimed.OURS, "", services.clock.now_us())
    query = [pair for pair in request.query_params.multi_items() if pair[0] != "envelope"]
    # The ids in the path, too: what was done with one thing says nothing of another.
    asked = [*query, *((name, str(value)) for name, value in request.path_params.items())]
    body_hash = _hash(asked, await request.body(), guest)
    claim = await services.idempotency.claim(slot, body_hash=body_hash, offer=offer, patience=LONG)
    if claim.result is not Claimed.DONE:
        request.scope[_CLAIM] = _Held(services.idempotency, slot)
        return
    if claim.answer is None:
        raise Conflict(
            "this was done under this Idempotency-Key; its answer is not kept", code="IDEMPOTENCY_ANSWER_GONE"
        )
    raise Replayed(claim.answer)


def _hash(asked: list[tuple[str, str]], body: bytes, caller: Principal) -> str:
    """Return the same text for the same request, however its JSON is written.

    The scopes are part of it: who lost a right does not get what they were answered when they had it.
    """
    try:
        content = msgspec.json.encode(msgspec.json.decode(body), order="sorted") if body else b""
    except msgspec.DecodeError:
        content = body
    return sha256(msgspec.json.encode((asked, sorted(caller.scopes))) + content).hexdigest()


class Once:
    """Keeps the answer of a request that holds a key, before it is sent; lets go of the key of one that failed."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            if _CLAIM in scope:
                kept.append(message)
            else:
                await send(message)

        try:
            await self._app(scope, receive, keep)
        finally:
            held: _Held | None = scope.get(_CLAIM)
            if held is not None:
                # Shielded: a client that went away must not leave its key locked for the next try.
                await asyncio.shield(_settle(held, kept))
        for message in kept:
            await send(message)


async def _settle(held: _Held, kept: list[Message]) -> None:
    was_done = bool(kept) and 200 <= kept[0]["status"] < 300
    body = b"".join(message.get("body", b"") for message in kept[1:])
    answer = None
    if was_done and len(body) <= _MOST_BYTES:
        answer = Answer(kept[0]["status"], body, dict(_worth_keeping(kept[0]["headers"])))
    await held.idempotency.settle(held.slot, was_done=was_done, answer=answer)


def _worth_keeping(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[str, str]]:
    named = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    return (pair for pair in named if pair[0] in _KEPT)
