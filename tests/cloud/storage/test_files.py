"""The directory of files: damage is found, drafts are swept, other people cannot read it."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cloud.errors import Unavailable
from cloud.ports import FileRef
from cloud.storage.files import DirectoryFiles

CONTENT = b"speed,flow\n1,2\n"


def kept(directory: Path) -> tuple[DirectoryFiles, FileRef]:
    files = DirectoryFiles(directory)
    return files, files.put("datasets", CONTENT)


def test_a_damaged_file_is_never_given(tmp_path: Path) -> None:
    files, ref = kept(tmp_path)
    (tmp_path / ref.name).write_bytes(CONTENT.replace(b"1", b"9"))
    for asked in (ref, ref.name):
        with pytest.raises(Unavailable, match="damaged") as refused:
            files.read(asked)
        assert refused.value.code == "FILE_DAMAGED"
        with pytest.raises(Unavailable, match="damaged"), files.open(asked):
            pass


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    _, ref = kept(tmp_path)
    path = tmp_path / ref.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_drafts_of_yesterday_are_swept_and_those_under_way_are_not(tmp_path: Path) -> None:
    files, ref = kept(tmp_path)
    old, young = (tmp_path / "datasets" / f".draft-{name}" for name in ("old", "young"))
    for draft in (old, young):
        draft.write_bytes(b"half")
    day_ago = time.time() - 25 * 3600
    os.utime(old, (day_ago, day_ago))
    assert files.sweep(now_us=time.time_ns() // 1000) == 1
    assert not old.exists()
    assert young.exists()
    assert list(files.names("datasets")) == [ref.name]


def test_a_directory_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where the directory should be")
    with pytest.raises(Unavailable, match="cannot be written"):
        DirectoryFiles(tmp_path / "files").put("datasets", CONTENT)


def test_a_disk_that_takes_no_more_is_unavailable_and_nothing_half_written_stays(tmp_path: Path) -> None:
    program = f"""
import resource
from pathlib import Path
from cloud.errors import Unavailable
from cloud.storage.files import DirectoryFiles
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    DirectoryFiles(Path({str(tmp_path)!r})).put("datasets", bytes(20_000))
except Unavailable as error:
    print(error.code)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "FILES_UNAVAILABLE"
    assert list((tmp_path / "datasets").iterdir()) == []
