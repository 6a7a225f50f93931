"""What every FileStore owes: whole or not at all, names of its own, bounded, and what was put is what is read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.errors import Invalid, NotFound, TooLarge
from cloud.ports import FileRef, FileStore
from cloud.storage.files import DirectoryFiles
from cloud.storage.memory_files import MemoryFiles

STORES: dict[str, Callable[[Path], FileStore]] = {
    "directory": lambda path: DirectoryFiles(path / "files"),
    "memory": lambda _path: MemoryFiles(),
}
FOREIGN = ("../../etc/passwd", "/etc/passwd", "", "datasets/..", "datasets/a-b", f"../{'0' * 16}-{'0' * 64}")


@pytest.fixture(params=STORES)
def files(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    """Give an empty store of each kind."""
    return STORES[request.param](tmp_path)


@given(data=st.binary(max_size=2000), pieces=st.lists(st.binary(max_size=50), max_size=20))
def test_what_was_put_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, pieces: list[bytes]
) -> None:
    for make in STORES.values():
        store = make(tmp_path_factory.mktemp("files"))
        ref, streamed = store.put("datasets", data), store.put_stream("packages", pieces, limit=1000)
        assert store.read(ref) == store.read(ref.name) == data
        assert store.read(streamed) == b"".join(pieces)
        assert (ref.size, streamed.size) == (len(data), sum(map(len, pieces)))
        with store.open(ref) as file:
            assert file.read() == data


def test_equal_contents_are_two_files_that_die_apart(files: FileStore) -> None:
    one, other = files.put("datasets", b"same"), files.put("datasets", b"same")
    assert one.sha256 == other.sha256
    assert files.delete(one)
    assert files.read(other) == b"same"
    assert set(files.names("datasets")) == {other.name}


def test_a_deleted_file_is_not_found_and_deleting_it_again_is_no_error(files: FileStore) -> None:
    ref = files.put("datasets", b"x")
    assert [files.delete(ref.name), files.delete(ref.name)] == [True, False]
    with pytest.raises(NotFound):
        files.read(ref)
    with pytest.raises(NotFound), files.open(ref):
        pass


def test_over_the_limit_nothing_stays_and_no_more_is_asked_for(files: FileStore) -> None:
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield b"x" * 100

    with pytest.raises(TooLarge, match="over 250 bytes") as refused:
        files.put_stream("datasets", endless(), limit=250)
    assert refused.value.code == "FILE_TOO_LARGE"
    assert taken == 3
    assert list(files.names("datasets")) == []


def test_a_stream_that_breaks_leaves_nothing(files: FileStore) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise KeyError("the sender went away")

    with pytest.raises(KeyError):
        files.put_stream("datasets", broken(), limit=1000)
    assert list(files.names("datasets")) == []


@pytest.mark.parametrize("name", FOREIGN)
def test_a_name_of_somebody_else_is_not_found(files: FileStore, name: str) -> None:
    for ask in (files.read, files.delete):
        with pytest.raises(NotFound):
            ask(name)
        with pytest.raises(NotFound):
            ask(FileRef(name, "0" * 64, 1))


@pytest.mark.parametrize("kind", ["", "..", "a/b", "Datasets", "a" * 40, ".hidden"])
def test_a_kind_that_is_no_plain_word_is_invalid(files: FileStore, kind: str) -> None:
    with pytest.raises(Invalid, match="kind"):
        files.put(kind, b"")
    with pytest.raises(Invalid, match="kind"):
        files.put_stream(kind, [b""], limit=1)
