"""Client and AsyncClient: the same resources over a blocking and an asynchronous connection.

Only this file does I/O: it drives the steps of `exchange.py`, which know neither sockets nor event loops.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Mapping
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import httpx

from cloud.client.call import Answer, Call, Lost, Pause
from cloud.client.exchange import TRIES, Credentials, Exchange, Steps
from cloud.client.resources.base import Doer, Many_co, One_co, Raw_co
from cloud.client.resources.learning import Algorithms, Datasets, Detection, Detectors, Experiments, Jobs
from cloud.client.resources.models import MachineLearning, Models, Training
from cloud.client.resources.plant import Alarms, Decisions, Devices, Exports, Readings, Reports, Tasks, Webhooks
from cloud.client.resources.scaling import Events, Predictions, Scaling, System
from cloud.client.thing import Thing

Result = TypeVar("Result")
_USUAL_URL = "http://localhost:8000"
_URL_VARIABLE = "API_BASE_URL"
_MOUNTS = ("/api/v1", "/api")


class _Resources(Generic[One_co, Many_co, Raw_co]):
    """Everything that a client can be asked for."""

    def __init__(self, doer: Doer[One_co, Many_co, Raw_co]) -> None:
        self.alarms = Alarms(doer)
        self.algorithms = Algorithms(doer)
        self.datasets = Datasets(doer)
        self.decisions = Decisions(doer)
        self.detection = Detection(doer)
        self.detectors = Detectors(doer)
        self.devices = Devices(doer)
        self.events = Events(doer)
        self.experiments = Experiments(doer)
        self.exports = Exports(doer)
        self.jobs = Jobs(doer)
        self.ml = MachineLearning(doer)
        self.models = Models(doer)
        self.predictions = Predictions(doer)
        self.readings = Readings(doer)
        self.reports = Reports(doer)
        self.scaling = Scaling(doer)
        self.system = System(doer)
        self.tasks = Tasks(doer)
        self.training = Training(doer)
        self.webhooks = Webhooks(doer)


class Client(_Resources[Thing, list[Thing], bytes]):
    """A blocking client. A context manager."""

    def __init__(
        self,
        base_url: str | None = None,
        username: str = "",
        password: str = "",
        api_key: str = "",
        *,
        timeout_s: float = 90.0,
        tries: int = TRIES,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """base_url: of the server or of its API; without one the variable API_BASE_URL says it."""
        self._root, self._base = _places(base_url)
        self._http = httpx.Client(timeout=timeout_s, transport=transport)
        self._exchange = _exchange(Credentials(api_key, username, password), tries)
        super().__init__(self)

    def thing(self, call: Call) -> Thing:
        """Return the object that a call answers with; raise ClientError."""
        return self._run(self._exchange.thing(call))

    def things(self, call: Call) -> list[Thing]:
        """Return the list that a call answers with; raise ClientError."""
        return self._run(self._exchange.things(call))

    def content(self, call: Call) -> bytes:
        """Return the bytes that a call answers with; raise ClientError."""
        return self._run(self._exchange.content(call))

    def ended(self, look: Call, *, timeout_s: float, every_s: float) -> Thing:
        """Return the job that a call shows, when it has ended; raise JobFailed, TimedOut, ClientError."""
        return self._run(self._exchange.ended(look, timeout_s=timeout_s, every_s=every_s))

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, steps: Steps[Result]) -> Result:
        came: Answer | Lost | None = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as end:
                result: Result = end.value
                return result
            if isinstance(step, Pause):
                time.sleep(step.seconds)
                came = None
            else:
                came = self._send(step)

    def _send(self, call: Call) -> Answer | Lost:
        try:
            return _answer(self._http.request(call.method, _url(self._root, self._base, call), **_request(call)))
        except httpx.TransportError as error:
            return _lost(error)


class AsyncClient(_Resources[Awaitable[Thing], Awaitable[list[Thing]], Awaitable[bytes]]):
    """An asynchronous client; every call is to be awaited. An asynchronous context manager."""

    def __init__(
        self,
        base_url: str | None = None,
        username: str = "",
        password: str = "",
        api_key: str = "",
        *,
        timeout_s: float = 90.0,
        tries: int = TRIES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """base_url: of the server or of its API; without one the variable API_BASE_URL says it."""
        self._root, self._base = _places(base_url)
        self._http = httpx.AsyncClient(timeout=timeout_s, transport=transport)
        self._exchange = _exchange(Credentials(api_key, username, password), tries)
        super().__init__(self)

    def thing(self, call: Call) -> Awaitable[Thing]:
        """Return the object that a call answers with; raise ClientError."""
        return self._run(self._exchange.thing(call))

    def things(self, call: Call) -> Awaitable[list[Thing]]:
        """Return the list that a call answers with; raise ClientError."""
        return self._run(self._exchange.things(call))

    def content(self, call: Call) -> Awaitable[bytes]:
        """Return the bytes that a call answers with; raise ClientError."""
        return self._run(self._exchange.content(call))

    def ended(self, look: Call, *, timeout_s: float, every_s: float) -> Awaitable[Thing]:
        """Return the job that a call shows, when it has ended; raise JobFailed, TimedOut, ClientError."""
        return self._run(self._exchange.ended(look, timeout_s=timeout_s, every_s=every_s))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, steps: Steps[Result]) -> Result:
        came: Answer | Lost | None = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as end:
                result: Result = end.value
                return result
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                came = None
            else:
                came = await self._send(step)

    async def _send(self, call: Call) -> Answer | Lost:
        try:
            return _answer(await self._http.request(call.method, _url(self._root, self._base, call), **_request(call)))
        except httpx.TransportError as error:
            return _lost(error)


def _places(base_url: str | None) -> tuple[str, str]:
    """Return the server's root and the API's base, of either of them."""
    given = (base_url or os.environ.get(_URL_VARIABLE) or _USUAL_URL).rstrip("/")
    mount = next((mount for mount in _MOUNTS if given.endswith(mount)), "")
    root = given.removesuffix(mount)
    return root, f"{root}{mount or _MOUNTS[0]}"


def _exchange(credentials: Credentials, tries: int) -> Exchange:
    return Exchange(credentials, time.monotonic, tries=tries, jitter=random.SystemRandom().uniform)


def _url(root: str, base: str, call: Call) -> str:
    return f"{root if call.from_root else base}{call.path}"


def _request(call: Call) -> Mapping[str, Any]:
    """Return what httpx is told of a call beside method and URL."""
    told: dict[str, Any] = {"headers": dict(call.headers), "params": dict(call.query)}
    if call.json is not None:
        told["json"] = call.json
    if call.form is not None:
        told["data"] = dict(call.form)
    if call.file is not None:
        told["files"] = {"file": (call.file.name, call.file.content)}
    return told


def _answer(response: httpx.Response) -> Answer:
    return Answer(
        response.status_code, {name.lower(): text for name, text in response.headers.items()}, response.content
    )


def _lost(error: httpx.TransportError) -> Lost:
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    return Lost(str(error) or type(error).__name__, was_sent=not never_sent)
