"""Datasets: takes uploads in, keeps them, shows them; a dataset is there whole or not at all."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud.domain.audit import AuditEntry
from cloud.domain.dataset import Dataset, Origin
from cloud.domain.identity import new_id, parse_id
from cloud.domain.times import to_datetime
from cloud.errors import Invalid, NotFound
from cloud.learning.importing import Answer
from cloud.learning.sheet import Sheet, unpack
from cloud.learning.uploads.bounds import Bounds
from cloud.ports import Clock, FileRef, FileStore
from cloud.records.audit import add_audit
from cloud.records.database import Records
from cloud.records.datasets import add_dataset, delete_dataset, find_dataset, list_datasets

FILE = "file"
"""The prefix of a dataset's id in the documents that call it a file."""
UPLOADS = "uploads"
ROWS = "datasets"
Read = Callable[[FileRef, str, Bounds, str], Answer]
"""Reads an upload, by where it is, its name, bounds, and the one format it may have or ``; raises as read_upload."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What somebody sends; file_name: as they call it; only: the one format it may have; texts: never numbers."""

    chunks: Iterable[bytes]
    file_name: str
    name: str
    by: str
    description: str = ""
    target: str = ""
    only: str = ""
    texts: tuple[str, ...] = ()


class Datasets:
    """The datasets of one installation; safe to use from several threads."""

    def __init__(
        self,
        records: Records,
        files: FileStore,
        clock: Clock,
        read: Read,
        *,
        bounds: Bounds,
        max_upload_bytes: int,
        draw: Callable[[int], str] = secrets.token_hex,
    ) -> None:
        """Draw gives that many random bytes in hex."""
        self._records = records
        self._files = files
        self._clock = clock
        self._read = read
        self._bounds = bounds
        self._draw = draw
        self.max_upload_bytes = max_upload_bytes

    def upload(self, upload: Upload) -> Dataset:
        """Read and keep what was sent; raise TooLarge, Malformed, Invalid, Unavailable: then nothing of it stays."""
        sent = self._files.put_stream(UPLOADS, upload.chunks, limit=self.max_upload_bytes)
        try:
            bounds = Bounds(self._bounds.max_bytes, self._bounds.max_rows, self._bounds.max_columns, upload.texts)
            answer = self._read(sent, upload.file_name, bounds, upload.only)
        finally:
            self._files.delete(sent)
        dataset = Dataset(
            id=self._new_id(),
            name=upload.name,
            description=upload.description,
            origin=Origin.UPLOAD,
            file_format=answer.file_format,
            n_rows=answer.rows,
            columns=answer.columns,
            target=upload.target,
            file=answer.file,
            sent_size=sent.size,
            created_at=to_datetime(self._clock.now_us()),
            created_by=upload.by,
            lineage={"file_name": upload.file_name[:200], "sha256": sent.sha256},
        )
        return self._keep(dataset)

    def list(self) -> Sequence[Dataset]:
        """Return all, the newest first."""
        with self._records.reading() as session:
            return list_datasets(session)

    def get(self, dataset_id: str) -> Dataset:
        """Return one by its id, with or without prefix; raise NotFound."""
        identity = parse_id(FILE, dataset_id, code="DATASET_NOT_FOUND")
        with self._records.reading() as session:
            found = find_dataset(session, identity)
        if found is None:
            raise NotFound(f"there is no dataset {dataset_id}", code="DATASET_NOT_FOUND")
        return found

    def delete(self, dataset_id: str, *, by: str) -> None:
        """Forget one and its file; raise NotFound, Unavailable."""
        dataset = self.get(dataset_id)
        with self._records.writing() as session:
            if delete_dataset(session, dataset.id):
                entry = AuditEntry(self._now(), by, "dataset.delete", dataset.id, {"name": dataset.name})
                add_audit(session, entry)
        self._files.delete(dataset.file)

    def sample(self, dataset_id: str, size: int, offset: int = 0) -> tuple[Dataset, Sequence[Mapping[str, object]]]:
        """Return a dataset and so many of its rows from an offset on; raise NotFound, Unavailable."""
        dataset = self.get(dataset_id)
        return dataset, read_sheet(self._files, dataset).rows(size, offset)

    def sheet(self, dataset_id: str, *, most_rows: int) -> Sheet:
        """Return all rows of a dataset; raise NotFound, Invalid where there are more than so many, Unavailable."""
        dataset = self.get(dataset_id)
        if dataset.n_rows > most_rows:
            issue = f"the dataset has {dataset.n_rows} rows; at most {most_rows} are answered at once"
            raise Invalid(f"dataset_id: {issue}", details={"field": "dataset_id", "issue": issue})
        return read_sheet(self._files, dataset)

    def _keep(self, dataset: Dataset) -> Dataset:
        try:
            dataset.check()
            with self._records.writing() as session:
                add_dataset(session, dataset)
                details: dict[str, object] = {"name": dataset.name, "rows": dataset.n_rows}
                add_audit(session, AuditEntry(self._now(), dataset.created_by, "dataset.add", dataset.id, details))
        except BaseException:
            self._files.delete(dataset.file)
            raise
        return dataset

    def _new_id(self) -> str:
        return new_id(self._clock.now_us(), self._draw(10))

    def _now(self) -> datetime:
        return to_datetime(self._clock.now_us())


def read_sheet(files: FileStore, dataset: Dataset) -> Sheet:
    """Return the rows of a dataset; raise NotFound, Unavailable."""
    with files.open(dataset.file) as file:
        return unpack(file)
