"""Importing: an upload is read in a process of its own, and what that says becomes facts or one of our errors."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import msgspec

from cloud.domain.dataset import ColumnFacts
from cloud.errors import CloudError, Invalid, Malformed, TooLarge, Unavailable
from cloud.learning.uploads.bounds import Bounds
from cloud.ports import FileRef

MODULE = "cloud.processes.upload"
_ERRORS: Mapping[str, type[CloudError]] = {kind.__name__: kind for kind in (Invalid, Malformed, TooLarge, Unavailable)}


class Commission(msgspec.Struct, frozen=True):
    """What to read: an upload in a directory of files, called so by who sent it; only: the format it must have."""

    directory: str
    upload: str
    name: str
    bounds: Bounds
    only: str = ""
    seconds: int = 120


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """What an upload holds, and where its rows are now."""

    file_format: str
    rows: int
    columns: tuple[ColumnFacts, ...]
    file: FileRef


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Why an upload was not taken."""

    kind: str
    message: str
    code: str
    details: dict[str, object]

    @classmethod
    def of(cls, error: CloudError) -> "Refusal":
        """Return an error as it travels."""
        kind = next((name for name, known in _ERRORS.items() if isinstance(error, known)), "Unavailable")
        return cls(kind, str(error), error.code, error.details)

    def raise_again(self) -> NoReturn:
        """Raise the error that travelled."""
        raise _ERRORS.get(self.kind, Unavailable)(self.message, code=self.code, details=self.details)


def read_upload(commission: Commission) -> Answer:
    """Return what an upload holds; raise Malformed, TooLarge, or Unavailable where it cannot be found out."""
    command = [sys.executable, "-m", MODULE]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command,
            input=msgspec.json.encode(commission),
            stdout=subprocess.PIPE,
            timeout=2 * commission.seconds,
            check=False,
            cwd=Path.cwd(),
        )
    except subprocess.TimeoutExpired as error:
        told = f"file: was not read within {2 * commission.seconds} s"
        raise TooLarge(told, code="FILE_TAKES_TOO_LONG", details={"field": "file"}) from error
    if not done.stdout:
        told = f"file: whoever read it ended with code {done.returncode}; it takes too much time or memory, or harms"
        raise Malformed(told, code="INVALID_FORMAT", details={"field": "file"})
    answer = msgspec.json.decode(done.stdout, type=Answer | Refusal)
    if isinstance(answer, Refusal):
        answer.raise_again()
    return answer
