"""Promotions: brings what won against its champion on its way to the gateways, with a person's consent.

What a person asked to be retrained goes out at once; what a family learned by itself waits in the inbox first.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cloud.domain.autonomy import Level
from cloud.domain.decision import DecisionKind, DecisionRequest, NewDecisionRequest, RequestState
from cloud.domain.retraining import Cause, Retraining
from cloud.domain.times import to_datetime
from cloud.errors import Conflict, Invalid
from cloud.ports import Clock
from cloud.records.autonomy import level_of
from cloud.records.database import Records
from cloud.records.decisions import add_request, newest_request
from cloud.records.retrainings import mark_handed_on, to_hand_on

BY = "autonomous"
ASKED_FOR = timedelta(days=14)
_log = logging.getLogger(__name__)
Promote = Callable[[str, int, bool], None]
"""Publishes a version of a model and begins its rollout, carefully where True; raises Invalid or Conflict where that
can never be."""


class HandingOn:
    """Brings what was promoted on its way; what was promoted before a newer version is left where it is."""

    def __init__(self, records: Records, clock: Clock, promote: Promote) -> None:
        self._records = records
        self._clock = clock
        self._promote = promote

    def look(self) -> None:
        """Hand on what waits and may go; raise Unavailable, and it is tried again."""
        with self._records.reading() as session:
            waiting = to_hand_on(session)
        newest = {one.model: one for one in waiting}
        for one in waiting:
            if newest[one.model] is not one:
                self._done(one)
            elif one.cause is Cause.REQUEST:
                self._hand_on(one, is_careful=False)
            else:
                self._ask_then_hand_on(one)

    def _ask_then_hand_on(self, one: Retraining) -> None:
        with self._records.writing() as session:
            answer = None if level_of(session, one.model) is Level.OFF else self._answer(session, one)
        match answer:
            case RequestState.OPEN | RequestState.DEFERRED:
                return
            case RequestState.APPROVED:
                self._hand_on(one, is_careful=True)
            case _:
                self._done(one)

    def _answer(self, session: Session, one: Retraining) -> RequestState:
        """Return what people said; ask them where nobody did so far."""
        subject = f"{one.model}:{one.challenger}"
        asked: DecisionRequest | None = newest_request(session, DecisionKind.MODEL_PROMOTION, subject)
        if asked is not None:
            return asked.state
        return add_request(session, _question(one, subject, to_datetime(self._clock.now_us()))).state

    def _hand_on(self, one: Retraining, *, is_careful: bool) -> None:
        try:
            self._promote(one.model, one.challenger or 0, is_careful)
        except (Invalid, Conflict) as error:
            _log.warning("a promoted model stays here: %s", error, extra={"model": one.model})
        self._done(one)

    def _done(self, one: Retraining) -> None:
        with self._records.writing() as session:
            mark_handed_on(session, one.id)


def _question(one: Retraining, subject: str, now: datetime) -> NewDecisionRequest:
    return NewDecisionRequest(
        kind=DecisionKind.MODEL_PROMOTION,
        subject=subject,
        title=f"Let version {one.challenger} of {one.model} serve in place of version {one.champion}",
        requested_by=BY,
        at=now,
        evidence={"retraining": one.id, "cause": one.cause.value, "figures": dict(one.figures)},
        expires_at=now + ASKED_FOR,
    )
