"""Recommender: asks all rules again and again, and keeps one open Recommendation a Device and rule."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from cloud.analysis.recommending.rules import RULES
from cloud.analysis.recommending.situation import Situation, read_situation
from cloud.domain.identity import new_id, shown
from cloud.domain.recommendation import Proposal, Recommendation, RecommendationState
from cloud.domain.times import to_datetime, to_us
from cloud.ports import Clock, ReadingStore
from cloud.records.database import Records
from cloud.records.recommendations import (
    PREFIX,
    add_recommendation,
    close_recommendation,
    closed_since,
    open_recommendations,
    renew_recommendation,
)

SILENT = timedelta(days=7)
"""For so long a rule says nothing of a Device about which somebody decided."""
_MOVED = 0.01
Key = tuple[str, str, str]
Draw = Callable[[int], str]


class Recommender:
    """One thread."""

    def __init__(self, records: Records, store: ReadingStore, clock: Clock, draw: Draw = secrets.token_hex) -> None:
        self._records = records
        self._store = store
        self._clock = clock
        self._draw = draw

    def look(self) -> None:
        """Open, renew and withdraw; nothing is written where nothing changed. Raise Unavailable, Conflict."""
        now = to_datetime(self._clock.now_us())
        proposals = propose(read_situation(self._records, self._store, now=now))
        with self._records.reading() as session:
            changes = _changes(session, proposals, now)
        if any(changes):
            with self._records.writing() as session:
                self._write(session, *_changes(session, proposals, now), now)

    def _write(
        self,
        session: Session,
        new: Sequence[Proposal],
        renewed: Sequence[tuple[str, Proposal]],
        gone: Sequence[str],
        now: datetime,
    ) -> None:
        for identity in gone:
            close_recommendation(session, identity, RecommendationState.WITHDRAWN, at=now, by="rule")
        for identity, proposal in renewed:
            renew_recommendation(session, identity, proposal, now)
        for proposal in new:
            add_recommendation(session, shown(PREFIX, new_id(to_us(now), self._draw(10))), proposal, now)


def propose(situation: Situation) -> Mapping[Key, Proposal]:
    """Return what the rules say, by source, device and rule."""
    return {(one.source, one.device, one.rule): one for rule in RULES for one in rule(situation)}


_Changes = tuple[Sequence[Proposal], Sequence[tuple[str, Proposal]], Sequence[str]]


def _changes(session: Session, proposals: Mapping[Key, Proposal], now: datetime) -> _Changes:
    """Return what is to be opened, renewed (by id), and withdrawn (ids)."""
    opened = {
        (one.proposal.source, one.proposal.device, one.proposal.rule): one for one in open_recommendations(session)
    }
    decided = closed_since(session, now - SILENT)
    new = [one for key, one in proposals.items() if key not in opened and key not in decided]
    both = [(known, proposals[key]) for key, known in opened.items() if key in proposals]
    renewed = [(known.id, one) for known, one in both if _has_moved(known, one)]
    return new, renewed, [known.id for key, known in opened.items() if key not in proposals]


def _has_moved(known: Recommendation, one: Proposal) -> bool:
    before = {(each.kind, each.id) for each in known.proposal.evidence}
    return abs(known.proposal.composite - one.composite) >= _MOVED or before != {(e.kind, e.id) for e in one.evidence}
