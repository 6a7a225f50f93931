"""Pages: one part of a list and how many there are in all, counted only where the part does not tell by itself."""

from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")


def page_of(
    session: Session,
    row: type[Row] | InstrumentedAttribute[Row],
    chosen: Sequence[ColumnElement[bool]],
    *order: ColumnElement[Any],
    limit: int,
    offset: int = 0,
) -> tuple[Sequence[Row], int]:
    """Return the rows of one page in this order, or one column of them, and how many are chosen in all."""
    query = select(row).where(*chosen)
    rows = session.scalars(query.order_by(*order).limit(limit).offset(offset)).all()
    is_last = len(rows) < limit and (rows or not offset)
    if is_last:
        return rows, offset + len(rows)
    return rows, session.scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0
