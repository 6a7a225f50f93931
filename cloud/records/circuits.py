"""CircuitRow: which targets are left alone for a while, in the records, so that every process knows it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.circuit import Circuit, CircuitState
from cloud.records.base import Base, UtcDateTime


class CircuitRow(Base):
    """One target's; a target that never failed has none."""

    __tablename__ = "circuits"

    target: Mapped[str] = mapped_column(String(2_000), primary_key=True)
    failures: Mapped[int]
    open_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


def find_circuit(session: Session, target: str) -> Circuit:
    """Return a target's circuit, a closed one where it never failed."""
    row = session.get(CircuitRow, target, with_for_update=True)
    return Circuit(target) if row is None else _circuit(row)


def put_circuit(session: Session, circuit: Circuit) -> None:
    """Keep a circuit; one that is as new is forgotten."""
    if circuit == Circuit(circuit.target):
        forget_circuit(session, circuit.target)
        return
    session.merge(CircuitRow(target=circuit.target, failures=circuit.failures, open_until=circuit.open_until))


def forget_circuit(session: Session, target: str) -> None:
    """Drop a target's circuit."""
    session.execute(delete(CircuitRow).where(CircuitRow.target == target))


def list_circuits(session: Session) -> Sequence[Circuit]:
    """Return all that failed lately."""
    return [_circuit(row) for row in session.scalars(select(CircuitRow).order_by(CircuitRow.target))]


def circuit_states(session: Session, at: datetime) -> Mapping[str, CircuitState]:
    """Return the state of each target that failed lately, for health pages and the gauge `circuit_state`."""
    return {circuit.target: circuit.state(at) for circuit in list_circuits(session)}


def _circuit(row: CircuitRow) -> Circuit:
    return Circuit(row.target, row.failures, row.open_until)
