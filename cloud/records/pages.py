"""Pages: one part of a list and how many there are in all, counted only where the part does not tell by itself."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from cloud.records.base import Base

Row = TypeVar("Row", bound=Base)


def page_of(
    session: Session,
    row: type[Row],
    chosen: Sequence[ColumnElement[bool]],
    *order: ColumnElement[Any],
    limit: int,
    offset: int = 0,
) -> tuple[Sequence[Row], int]:
    """Return the rows of one page in this order, and how many are chosen in all."""
    query = select(row).where(*chosen).order_by(*order).limit(limit).offset(offset)
    rows = session.scalars(query).all()
    is_last = len(rows) < limit and (rows or not offset)
    if is_last:
        return rows, offset + len(rows)
    return rows, session.scalar(select(func.count()).select_from(row).where(*chosen)) or 0
