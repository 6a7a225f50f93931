"""DownloadRow: the files of reports and exports that people may fetch."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import JSON, BigInteger, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cloud.domain.download import Download, DownloadKind
from cloud.records.base import Base, UtcDateTime


class DownloadRow(Base):
    """One file."""

    __tablename__ = "downloads"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(200), unique=True)
    media_type: Mapped[str] = mapped_column(String(100))
    file: Mapped[str] = mapped_column(String(200))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(String(200))
    job: Mapped[str] = mapped_column(String(32), index=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    kept_until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    facts: Mapped[dict[str, object]] = mapped_column(JSON)


def add_download(session: Session, download: Download) -> None:
    """Let people fetch a file that the store keeps."""
    session.add(
        DownloadRow(
            id=download.id,
            kind=download.kind.value,
            name=download.name,
            media_type=download.media_type,
            file=download.file,
            size_bytes=download.size_bytes,
            by=download.by,
            job=download.job,
            made_at=download.made_at,
            kept_until=download.kept_until,
            facts=dict(download.facts),
        )
    )


def find_download(session: Session, kind: DownloadKind, name: str) -> Download | None:
    """Return one by its name."""
    query = select(DownloadRow).where(DownloadRow.kind == kind.value, DownloadRow.name == name)
    row = session.scalar(query)
    return None if row is None else _download(row)


def downloads_of(session: Session, job: str) -> Sequence[Download]:
    """Return what a job made."""
    query = select(DownloadRow).where(DownloadRow.job == job).order_by(DownloadRow.id)
    return [_download(row) for row in session.scalars(query)]


def kept_files(session: Session) -> set[str]:
    """Return the store's names of all files that somebody may fetch, charts of reports among them."""
    kept: set[str] = set()
    for file, facts in session.execute(select(DownloadRow.file, DownloadRow.facts)):
        charts = facts.get("charts")
        kept |= {file, *(charts.values() if isinstance(charts, dict) else ())}
    return kept


def forget_downloads(session: Session, *, now: datetime) -> int:
    """Forget those whose time is over and return how many; their files are the caller's to delete afterwards."""
    rows = session.scalars(select(DownloadRow).where(DownloadRow.kept_until <= now)).all()
    for row in rows:
        session.delete(row)
    return len(rows)


def _download(row: DownloadRow) -> Download:
    return Download(
        id=row.id,
        kind=DownloadKind(row.kind),
        name=row.name,
        media_type=row.media_type,
        file=row.file,
        size_bytes=row.size_bytes,
        by=row.by,
        made_at=row.made_at,
        kept_until=row.kept_until,
        job=row.job,
        facts=row.facts,
    )
