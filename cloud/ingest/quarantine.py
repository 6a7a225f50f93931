"""Quarantine: batches that are whole but not valid, or contradict another; kept raw with the reason, never read again.

Also the list of telemetry that could not be understood: one row per device and field, the last message with it.
"""

from dataclasses import dataclass
from typing import Literal

from cloud.storage.chunks.database import Database
from protocols.batch import Header
from protocols.delivery import Rejected

Code = Literal["invalid_content", "identity_conflict", "refused_readings", "internal_error"]
_DETAIL = 500
_SAMPLE_BYTES = 1024
_MAX_TELEMETRY_ERRORS = 1000
_MAX_REJECTED = 100


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a batch is kept aside; a code for programs, the detail for people."""

    code: Code
    detail: str


class Quarantine:
    """What is kept aside; every call is made inside the transaction of the group it belongs to."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, header: Header, frame: bytes, reason: Reason, *, count: int, now_us: int) -> None:
        """Keep the frame, which holds so many readings."""
        row = (header.gateway, header.epoch, header.seq, int(header.kind), reason.code, reason.detail[:_DETAIL])
        statement = (
            "insert into quarantine (gateway, epoch, seq, kind, code, detail, count, received_us, frame) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        self._database.execute(statement, (*row, count, now_us, frame))

    def rejected(self, gateway: str, epoch: int, lo: int, hi: int) -> tuple[Rejected, ...]:
        """Return what of lo..hi was settled by being kept aside, at most 100 entries."""
        statement = (
            "select distinct seq, code from quarantine where gateway = ? and epoch = ? and seq between ? and ? "
            "and code in ('invalid_content', 'internal_error') order by seq limit ?"
        )
        rows = self._database.execute(statement, (gateway, epoch, lo, hi, _MAX_REJECTED))
        return tuple(Rejected(seq, seq, code) for seq, code in rows)

    def note_telemetry(self, device: str, field: str, problem: str, payload: bytes, *, now_us: int) -> None:
        """Count a message of this device that was not understood, and keep the begin of the last one."""
        statement = (
            "insert into telemetry_error values (?, ?, ?, 1, ?, ?) on conflict (device, field) do update set "
            "problem = excluded.problem, count = count + 1, last_us = excluded.last_us, payload = excluded.payload"
        )
        sample = payload[:_SAMPLE_BYTES]
        self._database.execute(statement, (device, field[:120], problem[:_DETAIL], now_us, sample))
        (rows,) = next(self._database.execute("select count(*) from telemetry_error"))
        if rows > _MAX_TELEMETRY_ERRORS:
            self._database.execute(
                "delete from telemetry_error where (device, field) in "
                "(select device, field from telemetry_error order by last_us limit 1)"
            )
