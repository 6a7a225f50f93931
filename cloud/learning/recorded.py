"""Recorded: how gateways' own models did, by the alarms that they raised; a first challenger is compared with that."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy.orm import Session

from cloud.domain.alarm import Alarm
from cloud.domain.alarm_words import ANOMALY_KINDS
from cloud.domain.label import Label
from cloud.domain.retraining import Showing
from cloud.learning.drawing import SCORE_TAG, Drawn
from cloud.learning.judging import counted
from cloud.ports import ReadingStore
from cloud.records.alarms import AlarmFilter, list_alarms
from protocols.anomaly import AnomalySource
from protocols.wanted import OWN

_KIND = ANOMALY_KINDS[AnomalySource.MODEL]
_MOST_ALARMS = 10_000
"""Of a Device, the newest: a model that raised more than so many has lost anyway."""


def own_showing(
    session: Session, store: ReadingStore, rows: Drawn, labels: Sequence[Label], cut_us: int, reach_us: int
) -> Showing | None:
    """Return how the own models did on these rows; None where not all of these Devices are judged on a gateway."""
    if not all(_is_judged(store, *device) for device in rows.devices):
        return None
    opened = [
        (number, at_us)
        for number, (source, device) in enumerate(rows.devices)
        for at_us in _raises(session, source, device, rows.take(rows.device == number))
    ]
    return counted(opened, rows, labels, cut_us, reach_us)


def _is_judged(store: ReadingStore, source: str, device: str) -> bool:
    return any(one.key.tag == SCORE_TAG for one in store.series(source=source, device=device))


def _raises(session: Session, source: str, device: str, rows: Drawn) -> Sequence[int]:
    """Return when own models raised an alarm of a Device in the time of its rows; each time once."""
    if not len(rows):
        return ()
    begin_us, end_us = int(np.min(rows.time_us)), int(np.max(rows.time_us))
    alarms, _ = list_alarms(session, AlarmFilter(source=source, device=device), limit=_MOST_ALARMS)
    return sorted({at for one in alarms if _is_own(one) for at in one.raises if begin_us <= at <= end_us})


def _is_own(alarm: Alarm) -> bool:
    return alarm.condition.kind == _KIND and alarm.finding.model.startswith(f"{OWN}@")
