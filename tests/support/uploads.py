"""Uploads for tests: read by the real readers in this process, or by the real process of an upload."""

from io import BytesIO
from pathlib import Path

from cloud.clock import SystemClock
from cloud.learning.datasets import Datasets, Upload
from cloud.learning.importing import Answer, Commission, read_upload
from cloud.learning.sheet import Sheet
from cloud.learning.uploads.bounds import Bounds
from cloud.learning.uploads.formats import READERS, format_of
from cloud.ports import FileRef
from cloud.records.database import Records
from cloud.storage.files import DirectoryFiles

BOUNDS = Bounds(max_bytes=64 << 20, max_rows=100_000, max_columns=1_000)
MAX_UPLOAD_BYTES = 4 << 20


def read(data: bytes | str, name: str = "file.csv", bounds: Bounds = BOUNDS) -> Sheet:
    """Return what an upload holds."""
    content = data.encode() if isinstance(data, str) else data
    return READERS[format_of(name, content[:4096])](BytesIO(content), bounds)


def datasets_in(directory: Path, records: Records) -> Datasets:
    """Return datasets whose uploads are read by the real process."""

    def importing(upload: FileRef, name: str, bounds: Bounds, only: str) -> Answer:
        return read_upload(Commission(str(directory), upload.name, name, bounds, only, 30))

    files = DirectoryFiles(directory)
    return Datasets(records, files, SystemClock(), importing, bounds=BOUNDS, max_upload_bytes=MAX_UPLOAD_BYTES)


def upload(data: bytes, file_name: str = "data.csv", target: str = "", only: str = "") -> Upload:
    """Return what somebody sends."""
    return Upload([data], file_name, "bearings", "anna", target=target, only=only)
