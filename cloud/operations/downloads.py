"""Downloads: files of reports and exports, for who may fetch them, and until they are forgotten."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO

from cloud.domain.download import Download, DownloadKind
from cloud.domain.link import opens, signed
from cloud.domain.times import to_datetime
from cloud.errors import NotFound
from cloud.ports import Clock, FileStore
from cloud.records.database import Records
from cloud.records.downloads import downloads_of, find_download, forget_downloads, kept_files

_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file on its way to somebody; checked from end to end before the first byte."""

    download: Download
    file: BinaryIO
    closing: ExitStack

    def pieces(self) -> Iterator[bytes]:
        """Yield it piece by piece, then let go of it; blocks."""
        with self.closing:
            while piece := self.file.read(_PIECE):
                yield piece


class Downloads:
    """Safe to use from several threads; secret: gives what signs links, made at its first use."""

    def __init__(self, records: Records, files: FileStore, clock: Clock, secret: Callable[[], bytes]) -> None:
        self._records = records
        self._files = files
        self._clock = clock
        self._secret = secret

    def of_job(self, job_id: str) -> Download | None:
        """Return what a job made, None where that is forgotten; raise Unavailable."""
        with self._records.reading() as session:
            return next(iter(downloads_of(session, job_id)), None)

    def open(self, kind: DownloadKind, name: str) -> OpenFile:
        """Return the file of this name; raise NotFound, Unavailable."""
        with self._records.reading() as session:
            found = find_download(session, kind, name)
        if found is None or found.kept_until <= to_datetime(self._clock.now_us()):
            raise NotFound(f"there is no file {name!r:.200} in {kind}", code="FILE_NOT_FOUND")
        closing = ExitStack()
        return OpenFile(found, closing.enter_context(self._files.open(found.file)), closing)

    def content(self, download: Download) -> bytes:
        """Return the whole of a file; raise NotFound, Unavailable."""
        return self._files.read(download.file)

    def charts(self, download: Download) -> Mapping[str, str]:
        """Return the charts of a report, each a PNG in base64, by name; raise NotFound, Unavailable."""
        names = download.facts.get("charts")
        found = names if isinstance(names, Mapping) else {}
        return {str(key): base64.b64encode(self._files.read(str(name))).decode() for key, name in found.items()}

    def link(self, download: Download) -> str:
        """Return a path that opens the file for whoever holds it, for a day; raise Unavailable."""
        return signed(self._secret(), download.path, now_s=self._now_s())

    def is_open(self, path: str, *, expires_s: int, signature: str) -> bool:
        """Return whether somebody holds a link of ours to this path that is not over; raise Unavailable."""
        return opens(self._secret(), path, expires_s=expires_s, signature=signature, now_s=self._now_s())

    def _now_s(self) -> int:
        return self._clock.now_us() // 1_000_000


class DownloadKeeping:
    """One round an hour; a file must be found without an owner twice before it goes: it may be just coming to be."""

    def __init__(self, records: Records, files: FileStore, clock: Clock) -> None:
        self._records = records
        self._files = files
        self._clock = clock
        self._suspects: set[str] = set()

    def look(self) -> None:
        """Forget what was kept long enough, and delete the files that nothing names any more; raise Unavailable."""
        with self._records.writing() as session:
            forget_downloads(session, now=to_datetime(self._clock.now_us()))
        found = {name for kind in DownloadKind for name in self._files.names(kind.value)}
        with self._records.reading() as session:
            ownerless = found - kept_files(session)
        for name in self._suspects & ownerless:
            self._files.delete(name)
        self._suspects = ownerless
