"""Exchange: how a call becomes an answer: credentials, tries, waits. Written once for both clients, without I/O.

Each step is a generator: it yields what is to be done next (a Call to send, a Pause to wait) and is sent what came of
it; who drives it does the I/O, blocking or not.
"""

import secrets
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from cloud.client.call import Answer, Call, Lost, Pause
from cloud.client.errors import AuthenticationFailed, ConnectionFailed, JobFailed, TimedOut, error_of, seconds
from cloud.client.thing import Thing, wrapped

Result = TypeVar("Result")
Steps = Generator[Call | Pause, Answer | Lost | None, Result]
TRIES = 3
LONGEST_WAIT_S = 60.0
"""What a server may ask us to wait; over that the caller hears of it at once."""
_FIRST_WAIT_S = 0.5
_AGAIN = (429, 502, 503, 504)
_EARLY_S = 60.0
"""Tokens are renewed this long before they end."""
_ENDED = {"succeeded", "completed", "SUCCESS"}
"""What the API's documents call a job that has ended well."""
_FAILED = {"failed", "cancelled", "FAILURE"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key, or a user's name and password; all empty for a server that asks for none."""

    api_key: str = ""
    username: str = ""
    password: str = ""


class Exchange:
    """Sends calls on behalf of one caller; keeps the caller's token until it ends."""

    def __init__(
        self,
        credentials: Credentials,
        monotonic_s: Callable[[], float],
        *,
        tries: int = TRIES,
        draw: Callable[[int], str] = secrets.token_hex,
        jitter: Callable[[float, float], float],
    ) -> None:
        """Draw gives that many random bytes in hex; jitter a number between two."""
        self._credentials = credentials
        self._monotonic_s = monotonic_s
        self._tries = tries
        self._draw = draw
        self._jitter = jitter
        self._token = ""
        self._token_ends_s = 0.0

    def answer(self, call: Call) -> Steps[Answer]:
        """Return the good answer of a call; raise ApiError, ConnectionFailed."""
        call = self._keyed(call)
        may_renew = True
        for left in range(self._tries - 1, -1, -1):
            came = yield from self._sent(call)
            if isinstance(came, Answer) and came.status == 401 and may_renew and self._token:
                self._token, may_renew = "", False
                came = yield from self._sent(call)
            if isinstance(came, Answer) and came.is_good:
                return came
            wait_s = self._wait_s(call, came, self._tries - 1 - left)
            if wait_s is None or left == 0:
                raise _failure(call, came)
            yield Pause(wait_s)
        raise ConnectionFailed("no try was allowed")

    def thing(self, call: Call) -> Steps[Thing]:
        """Return the object that a call answers with; an empty one for an empty answer."""
        came = yield from self.answer(call)
        body = came.json()
        return Thing(body if isinstance(body, dict) else {} if body is None else {"value": body})

    def things(self, call: Call) -> Steps[list[Thing]]:
        """Return the list that a call answers with."""
        came = yield from self.answer(call)
        body = came.json()
        found: list[Thing] = wrapped(body) if isinstance(body, list) else []
        return found

    def content(self, call: Call) -> Steps[bytes]:
        """Return the bytes that a call answers with."""
        came = yield from self.answer(call)
        return came.content

    def ended(self, look: Call, *, timeout_s: float, every_s: float) -> Steps[Thing]:
        """Return the job that a call shows when it has ended; raise JobFailed, TimedOut, ApiError."""
        deadline_s = self._monotonic_s() + timeout_s
        while True:
            job = yield from self.thing(look)
            status = job.get("status") or job.get("state")
            if status in _ENDED:
                return job
            if status in _FAILED:
                raise JobFailed(f"{look.path}: {status}: {_reason(job)}")
            if self._monotonic_s() >= deadline_s:
                raise TimedOut(f"{look.path}: {status} after {timeout_s:g} s")
            yield Pause(every_s)

    def _sent(self, call: Call) -> Steps[Answer | Lost]:
        headers = {**call.headers}
        if not call.is_open:
            headers |= yield from self._credential()
        came = yield replace(call, headers=headers)
        if came is None:
            raise ConnectionFailed(f"{call.method} {call.path}: nobody sent it")
        return came

    def _credential(self) -> Steps[dict[str, str]]:
        known = self._credentials
        if known.api_key:
            return {"X-API-Key": known.api_key}
        if not known.username:
            return {}
        if not self._token or self._monotonic_s() >= self._token_ends_s:
            yield from self._log_in()
        return {"Authorization": f"Bearer {self._token}"}

    def _log_in(self) -> Steps[None]:
        form = {"username": self._credentials.username, "password": self._credentials.password}
        told = yield from self.thing(Call("POST", "/auth/token", form=form, is_open=True, is_keyed=True))
        if "access_token" not in told:
            raise AuthenticationFailed("the server gave no token", status=401)
        lasts_s = float(told.get("expires_in") or 0.0)
        self._token = str(told["access_token"])
        self._token_ends_s = self._monotonic_s() + max(lasts_s - _EARLY_S, lasts_s / 2)

    def _keyed(self, call: Call) -> Call:
        if call.method != "POST" or "Idempotency-Key" in call.headers:
            return call
        return replace(call, headers={**call.headers, "Idempotency-Key": self._draw(16)})

    def _wait_s(self, call: Call, came: Answer | Lost, done: int) -> float | None:
        """Return how long to wait before the next try, None where another one is of no use."""
        backoff_s = self._jitter(0.5, 1.0) * _FIRST_WAIT_S * 2.0**done
        if isinstance(came, Lost):
            return backoff_s if call.is_repeatable or not came.was_sent else None
        if came.status not in _AGAIN or (came.status in (502, 504) and not call.is_repeatable):
            return None
        wanted_s = seconds(came.headers.get("retry-after", ""))
        if wanted_s is None:
            return backoff_s
        return wanted_s if wanted_s <= LONGEST_WAIT_S else None


def _failure(call: Call, came: Answer | Lost) -> Exception:
    if isinstance(came, Lost):
        return ConnectionFailed(f"{call.method} {call.path}: {came.reason}")
    return error_of(came.status, came.json(), came.headers)


def _reason(job: Mapping[str, Any]) -> str:
    for name in ("error", "message", "detail", "failure"):
        if job.get(name):
            return str(job[name])
    return "no reason given"
