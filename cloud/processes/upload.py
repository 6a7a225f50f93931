"""The process that reads one upload, bounded by the kernel: what is hostile in it dies here, and nowhere else."""

import os
import resource
import sys
from pathlib import Path

import msgspec

from cloud.errors import CloudError, Malformed, TooLarge
from cloud.learning.importing import Answer, Commission, Refusal
from cloud.learning.uploads.formats import READERS, format_of
from cloud.storage.files import DirectoryFiles

_MIB = 1024 * 1024
_BESIDES = 768 * _MIB
"""For the program itself and for the text that is being read."""
_HEAD = 4096
DATASETS = "datasets"


def read(commission: Commission) -> Answer:
    """Read the upload, keep its rows, and say what they are; raise Malformed, TooLarge, Unavailable."""
    files = DirectoryFiles(Path(commission.directory))
    with files.open(commission.upload) as file:
        form = format_of(commission.name, file.read(_HEAD))
        file.seek(0)
        if commission.only and form != commission.only:
            told = f"file: is {form}, {commission.only} is needed"
            raise Malformed(told, code="INVALID_FORMAT", details={"field": "file"})
        sheet = READERS[form](file, commission.bounds)
    facts = sheet.facts()
    ref = files.put(DATASETS, sheet.pack())
    return Answer(form, len(sheet), facts, ref)


def _bound(commission: Commission) -> None:
    memory = 2 * commission.bounds.max_bytes + _BESIDES
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (commission.seconds, commission.seconds))
    os.nice(5)


def main() -> None:
    """Take the commission from standard input and answer on standard output."""
    commission = msgspec.json.decode(sys.stdin.buffer.read(), type=Commission)
    _bound(commission)
    answer: Answer | Refusal
    try:
        answer = read(commission)
    except MemoryError:
        answer = Refusal.of(TooLarge("file: needs too much memory to be read", code="FILE_EXPANDS_TOO_FAR"))
    except CloudError as error:
        answer = Refusal.of(error)
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()
