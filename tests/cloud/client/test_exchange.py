"""How a call becomes an answer: tries, waits, keys and tokens, driven by hand without any I/O."""

from collections.abc import Sequence
from itertools import count

import pytest

from cloud.client.call import Answer, Call, Lost, Pause
from cloud.client.errors import ApiError, ConnectionFailed, JobFailed, RateLimited, TimedOut
from cloud.client.exchange import Credentials, Exchange, Result, Steps

OK = Answer(200, {}, b'{"id": 7}')
TOKEN = Answer(200, {}, b'{"access_token": "t1", "expires_in": 3600}')
CUT = Lost("cut", was_sent=True)
ANNA = Credentials("", "anna", "p")
GET, POST = Call("GET", "/things"), Call("POST", "/things", json={})


class Driven:
    """Steps, done with prepared answers; keeps what was sent and how long was waited."""

    def __init__(self, credentials: Credentials | None = None) -> None:
        self.now_s = 0.0
        self.sent: list[Call] = []
        self.waits: list[float] = []
        numbers = count(1)
        self.exchange = Exchange(
            credentials or Credentials(api_key="k"),
            lambda: self.now_s,
            draw=lambda _: f"key-{next(numbers)}",
            jitter=lambda _, most: most,
        )

    def run(self, steps: Steps[Result], answers: Sequence[Answer | Lost]) -> Result:
        coming = iter(answers)
        came: Answer | Lost | None = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as end:
                assert list(coming) == [], "fewer requests were sent than prepared for"
                result: Result = end.value
                return result
            if isinstance(step, Pause):
                self.waits.append(step.seconds)
                self.now_s += step.seconds
                came = None
            else:
                self.sent.append(step)
                came = next(coming)


def refused(status: int, **headers: str) -> Answer:
    return Answer(status, headers, b'{"detail": "no", "error_code": "NO"}')


def test_an_api_key_goes_with_every_call() -> None:
    driven = Driven()
    assert driven.run(driven.exchange.thing(GET), [OK]).id == 7
    assert driven.sent[0].headers == {"X-API-Key": "k"}


def test_retry_after_is_waited_for_and_the_idempotency_key_is_kept() -> None:
    driven = Driven()
    later = Answer(429, {"retry-after": "3"}, b"{}")
    driven.run(driven.exchange.thing(POST), [later, Answer(503, {"retry-after": "7"}, b"{}"), OK])
    assert driven.waits == [3, 7]
    assert [call.headers["Idempotency-Key"] for call in driven.sent] == ["key-1"] * 3


def test_the_third_refusal_is_told() -> None:
    driven = Driven()
    with pytest.raises(RateLimited) as raised:
        driven.run(
            driven.exchange.thing(GET), [Answer(429, {"retry-after": "1"}, b'{"error_code": "RATE_LIMITED"}')] * 3
        )
    assert (raised.value.retry_after_s, raised.value.code, len(driven.sent)) == (1, "RATE_LIMITED", 3)


def test_a_wait_of_an_hour_is_left_to_the_caller() -> None:
    driven = Driven()
    with pytest.raises(RateLimited):
        driven.run(driven.exchange.thing(GET), [Answer(429, {"retry-after": "3600"}, b"")])
    assert driven.waits == []


def test_waits_without_a_word_from_the_server_double() -> None:
    driven = Driven()
    with pytest.raises(ConnectionFailed, match="GET /things: cut"):
        driven.run(driven.exchange.thing(GET), [CUT] * 3)
    assert driven.waits == [0.5, 1.0]


def test_a_post_that_may_have_arrived_is_not_sent_again_unless_it_is_keyed() -> None:
    driven = Driven()
    with pytest.raises(ConnectionFailed):
        driven.run(driven.exchange.thing(POST), [CUT])
    driven.run(driven.exchange.thing(Call("POST", "/data/ingest", json={}, is_keyed=True)), [CUT, OK])
    assert driven.sent[1].headers["Idempotency-Key"] == driven.sent[2].headers["Idempotency-Key"]


def test_a_post_that_never_left_is_sent_again() -> None:
    driven = Driven()
    driven.run(driven.exchange.thing(POST), [Lost("refused", was_sent=False), OK])
    assert len(driven.sent) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500])
def test_what_will_not_get_better_is_told_at_once(status: int) -> None:
    driven = Driven()
    with pytest.raises(ApiError, match=f"{status} NO: no") as raised:
        driven.run(driven.exchange.thing(GET), [refused(status)])
    assert raised.value.status == status


def test_a_password_becomes_a_token_that_is_used_until_shortly_before_its_end() -> None:
    driven = Driven(ANNA)
    driven.run(driven.exchange.thing(GET), [TOKEN, OK])
    driven.run(driven.exchange.thing(GET), [OK])
    driven.now_s = 3541
    driven.run(driven.exchange.thing(GET), [TOKEN, OK])
    assert [call.path for call in driven.sent] == ["/auth/token", "/things", "/things", "/auth/token", "/things"]
    assert driven.sent[0].form == {"username": "anna", "password": "p"}
    assert driven.sent[1].headers["Authorization"] == "Bearer t1"


def test_a_token_that_the_server_no_longer_knows_is_renewed_once() -> None:
    driven = Driven(ANNA)
    driven.run(driven.exchange.thing(GET), [TOKEN, refused(401), TOKEN, OK])
    with pytest.raises(ApiError):
        driven.run(driven.exchange.thing(GET), [refused(401), TOKEN, refused(401)])


def job(**fields: str) -> Answer:
    return Answer(
        200, {}, b'{"%b": "%b", "error": "one class"}' % next((k.encode(), v.encode()) for k, v in fields.items())
    )


@pytest.mark.parametrize("last", [job(status="SUCCESS"), job(status="completed"), job(state="succeeded")])
def test_a_job_is_waited_for(last: Answer) -> None:
    driven = Driven()
    driven.run(driven.exchange.ended(GET, timeout_s=9, every_s=2), [job(status="queued"), job(state="running"), last])
    assert driven.waits == [2, 2]


def test_a_job_that_failed_says_why_and_one_that_takes_too_long_is_told() -> None:
    driven = Driven()
    with pytest.raises(JobFailed, match="failed: one class"):
        driven.run(driven.exchange.ended(GET, timeout_s=9, every_s=2), [job(status="failed")])
    with pytest.raises(TimedOut, match="queued after 3 s"):
        driven.run(driven.exchange.ended(GET, timeout_s=3, every_s=2), [job(status="queued")] * 3)
