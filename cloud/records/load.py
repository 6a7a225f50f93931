"""LoadBinRow, LoadCapacityRow: what each service had to do each minute, and how much one instance of it can do."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import BigInteger, Float, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.load import LoadBin, Minute, Service, smoothed
from cloud.records.base import Base

KEPT = timedelta(days=90)
_SUMS = ("messages", "readings", "seconds", "lagging_s", "done_while_lagging")


class LoadBinRow(Base):
    """One minute of one instance of a service."""

    __tablename__ = "load_bins"

    service: Mapped[str] = mapped_column(String(16), primary_key=True)
    minute: Mapped[int] = mapped_column(BigInteger, primary_key=True, index=True, autoincrement=False)
    instance: Mapped[str] = mapped_column(String(64), primary_key=True)
    messages: Mapped[int] = mapped_column(BigInteger)
    readings: Mapped[int] = mapped_column(BigInteger)
    seconds: Mapped[float] = mapped_column(Float)
    lagging_s: Mapped[float] = mapped_column(Float)
    done_while_lagging: Mapped[int] = mapped_column(BigInteger)
    lag_s: Mapped[float] = mapped_column(Float)
    online: Mapped[int] = mapped_column(BigInteger)


class LoadCapacityRow(Base):
    """Messages a second that one instance of a service can do; minute: of the newest measurement in it."""

    __tablename__ = "load_capacities"

    service: Mapped[str] = mapped_column(String(16), primary_key=True)
    per_s: Mapped[float] = mapped_column(Float)
    minute: Mapped[int] = mapped_column(BigInteger)


def add_load(session: Session, bins: Sequence[LoadBin]) -> None:
    """Add what was seen to the minutes that it belongs to."""
    for one in bins:
        row = session.get(LoadBinRow, (one.service.value, one.minute, one.instance))
        if row is None:
            session.add(_row(one))
            continue
        for name in _SUMS:
            setattr(row, name, getattr(row, name) + getattr(one, name))
        row.lag_s, row.online = max(row.lag_s, one.lag_s), max(row.online, one.online)
    session.flush()


def load_minutes(session: Session, service: Service, *, since: int, until: int) -> Sequence[Minute]:
    """Return the minutes of a service with since <= minute < until that were seen, in order."""
    row = LoadBinRow
    sums = (func.sum(row.messages), func.sum(row.readings))
    columns = (*sums, func.max(row.lag_s), func.count(), func.max(row.seconds), func.max(row.online))
    query = select(row.minute, *columns).where(row.service == service.value, row.minute >= since, row.minute < until)
    found = session.execute(query.group_by(row.minute).order_by(row.minute)).all()
    return [_minute(*one) for one in found]


def newest_minute(session: Session, service: Service, *, before: int) -> int | None:
    """Return the newest minute of a service before another."""
    query = select(func.max(LoadBinRow.minute)).where(LoadBinRow.service == service.value, LoadBinRow.minute < before)
    return session.scalar(query)


def capacity_of(session: Session, service: Service) -> float | None:
    """Return how many messages a second one instance can do; None before it was ever put to the test."""
    row = session.get(LoadCapacityRow, service.value)
    return None if row is None else row.per_s


def learn_capacity(session: Session, service: Service, *, before: int) -> float | None:
    """Take every measured minute into the capacity that is not in it yet, and return it; before: the current minute."""
    row = session.get(LoadCapacityRow, service.value)
    since = row.minute if row is not None else before - 60
    query = select(LoadBinRow).where(
        LoadBinRow.service == service.value,
        LoadBinRow.minute > since,
        LoadBinRow.minute < before,
        LoadBinRow.done_while_lagging > 0,
    )
    known = None if row is None else row.per_s
    newest = since
    for one in session.scalars(query.order_by(LoadBinRow.minute)):
        measured = _bin(one).capacity_per_s
        known = known if measured is None else smoothed(known, measured)
        newest = one.minute
    if known is not None:
        session.merge(LoadCapacityRow(service=service.value, per_s=known, minute=newest))
    return known


def forget_load(session: Session, *, before: int) -> None:
    """Drop minutes of before that one."""
    session.execute(delete(LoadBinRow).where(LoadBinRow.minute < before))


def _minute(
    minute: int, messages: int, readings: int, lag_s: float, instances: int, seconds: float, online: int
) -> Minute:
    # A minute that was watched in part only is told as if the rest had been like it.
    watched = min(60.0, seconds) or 60.0
    return Minute(minute, int(messages) / watched, int(readings) / watched, lag_s, instances, online, watched)


def _row(one: LoadBin) -> LoadBinRow:
    return LoadBinRow(
        service=one.service.value,
        minute=one.minute,
        instance=one.instance,
        messages=one.messages,
        readings=one.readings,
        seconds=one.seconds,
        lagging_s=one.lagging_s,
        done_while_lagging=one.done_while_lagging,
        lag_s=one.lag_s,
        online=one.online,
    )


def _bin(row: LoadBinRow) -> LoadBin:
    return LoadBin(
        Service(row.service),
        row.minute,
        row.instance,
        row.messages,
        row.readings,
        row.seconds,
        row.lagging_s,
        row.done_while_lagging,
        row.lag_s,
        row.online,
    )
