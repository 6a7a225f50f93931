"""Carrying batches from one buffer to another: same keys, same bytes, each once; what fails has changed nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.buffers.carrying import Carriage, export_buffer, import_buffer
from edge_agent.buffers.file import lock_path
from edge_agent.buffers.lock import FileLock
from edge_agent.buffers.parcel_file import MAGIC, Label, read_label, write_parcel
from edge_agent.buffers.place import BufferPlace
from edge_agent.buffers.sqlite import SqliteBuffer
from edge_agent.errors import BufferFull, BufferInUse, BufferUnusable, ParcelUnusable
from edge_agent.ports import Ledger
from protocols.batch import Key
from tests.support.batches import START_US, ack, counted_epochs, data, event, tags

MIB = 1024 * 1024
ALL = 10_000


class Gateway:
    """A gateway with a buffer at rest."""

    def __init__(self, directory: Path, *, name: str = "gw-1", max_bytes: int = 4 * MIB) -> None:
        directory.mkdir(exist_ok=True)
        self.place = BufferPlace(directory / "buffer.db", name, max_bytes)
        self.draw = counted_epochs()

    def use(self, change: Callable[[SqliteBuffer], object]) -> int:
        """Open the buffer, change something, close it, and return the epoch."""
        buffer = SqliteBuffer(self.place, draw=self.draw)
        try:
            change(buffer)
            return buffer.epoch
        finally:
            buffer.close()

    def held(self) -> dict[Key, bytes]:
        """Return everything that the buffer holds, by un-acking a copy of it."""
        copy = self.place.path.with_name("looked-at.db")
        copy.write_bytes(self.place.path.read_bytes())
        buffer = SqliteBuffer(BufferPlace(copy, self.place.gateway, self.place.max_bytes), draw=lambda: 7)
        buffer.unack()
        found = {batch.key: batch.frame for batch in buffer.unacked(skip=frozenset(), limit=ALL)}
        buffer.close()
        return found

    def waiting(self) -> list[Key]:
        """Return what is due to be sent, in order."""
        found: list[Key] = []
        self.use(lambda buffer: found.extend(b.key for b in buffer.unacked(skip=frozenset(), limit=ALL)))
        return found

    def ledger(self) -> Ledger:
        """Return the account."""
        found: list[Ledger] = []
        self.use(lambda buffer: found.append(buffer.ledger()))
        return found[0]

    def export(self, target: Path, *, waiting_only: bool = False) -> Carriage:
        """Export it."""
        return export_buffer(self.place, target, program="1", at_us=START_US, waiting_only=waiting_only)

    def load(self, source: Path) -> Carriage:
        """Import into it."""
        return import_buffer(self.place, source)


def fill(buffer: SqliteBuffer) -> None:
    """Store five batches, of which three are acked, under generation 4."""
    buffer.append([tags(), data(3), data(4), event(), data(5)], at_us=START_US)
    buffer.apply(ack(buffer.epoch, 3, generation=4, a=2))


@pytest.fixture
def old(tmp_path: Path) -> Gateway:
    gateway = Gateway(tmp_path / "old")
    gateway.use(fill)
    gateway.use(fill)
    return gateway


@pytest.fixture
def new(tmp_path: Path) -> Gateway:
    gateway = Gateway(tmp_path / "new")
    gateway.draw = iter(range(900, 999)).__next__
    return gateway


@pytest.fixture
def parcel(tmp_path: Path) -> Path:
    return tmp_path / "gw-1.parcel"


def test_an_empty_buffer_becomes_the_same_with_keys_frames_marks_and_accounts(
    old: Gateway, new: Gateway, parcel: Path
) -> None:
    assert old.export(parcel) == Carriage(10, 24, 2)
    assert new.load(parcel) == Carriage(10, 24, 2)
    assert new.held() == old.held()
    assert new.waiting() == old.waiting() == [Key(101, 4), Key(102, 4), Key(101, 5), Key(102, 5)]
    assert new.ledger().epochs == old.ledger().epochs
    assert parcel.stat().st_mode & 0o777 == 0o600


def test_what_waits_goes_alone_where_asked_with_its_tag_tables_and_the_same_account(
    old: Gateway, new: Gateway, parcel: Path
) -> None:
    assert old.export(parcel, waiting_only=True).batches == 2 * (1 + 2)
    new.load(parcel)
    assert {key.seq for key in new.held()} == {1, 4, 5}
    assert new.waiting() == old.waiting()
    assert new.ledger().epochs == old.ledger().epochs


def test_a_buffer_that_knows_another_store_takes_the_batches_as_open(old: Gateway, new: Gateway, parcel: Path) -> None:
    new.use(lambda buffer: (buffer.append([tags()], at_us=START_US), buffer.apply(ack(buffer.epoch, 1, generation=9))))
    old.export(parcel)
    new.load(parcel)
    assert set(new.waiting()) == set(old.held())
    new.use(lambda buffer: buffer.apply(ack(101, 5, generation=9)))
    assert {key.epoch for key in new.waiting()} == {102}


def test_batches_that_are_there_stay_and_go_first(old: Gateway, new: Gateway, parcel: Path) -> None:
    own = new.use(lambda buffer: buffer.append([tags(), data(6)], at_us=START_US + 99))
    old.export(parcel)
    new.load(parcel)
    assert [key for key in new.waiting() if key.epoch == own] == [Key(own, 1), Key(own, 2)]
    assert new.held().items() >= old.held().items()
    later = new.use(lambda buffer: buffer.append([tags(), data(2)], at_us=START_US + 100))
    assert new.waiting()[-2:] == [Key(later, 1), Key(later, 2)]
    new.use(lambda buffer: [buffer.apply(ack(epoch, 9, generation=4)) for epoch in (own, 101, 102, later)])
    assert new.waiting() == []
    assert {(one.waiting, one.sealed - one.acked) for one in new.ledger().epochs} == {(0, 0)}


def test_the_same_file_again_adds_nothing(old: Gateway, new: Gateway, parcel: Path) -> None:
    old.export(parcel)
    new.load(parcel)
    before, ledger = new.held(), new.ledger()
    assert new.load(parcel) == Carriage(0, 0, 0, known=10)
    assert old.load(parcel).known == 10
    assert (new.held(), new.ledger()) == (before, ledger)


def test_what_a_buffer_gave_up_or_purged_since_does_not_come_back(old: Gateway, new: Gateway, parcel: Path) -> None:
    old.export(parcel)
    new.load(parcel)
    new.use(lambda buffer: buffer.give_up_data(reason="by hand", at_us=START_US))
    held = new.held()
    assert new.load(parcel).known == 10
    assert new.held() == held


def test_a_batch_of_another_gateway_keeps_its_name_and_is_refused(old: Gateway, tmp_path: Path, parcel: Path) -> None:
    old.export(parcel)
    other = Gateway(tmp_path / "other", name="gw-2")
    with pytest.raises(ParcelUnusable, match="holds batches of gateway 'gw-1', this is 'gw-2'"):
        other.load(parcel)
    assert not other.place.path.exists()


def test_a_key_with_other_content_is_refused(new: Gateway, tmp_path: Path, parcel: Path) -> None:
    new.draw = counted_epochs()
    new.use(lambda buffer: buffer.append([tags(), data(9)], at_us=START_US))
    clone = Gateway(tmp_path / "clone")
    clone.use(lambda buffer: buffer.append([tags(), data(8)], at_us=START_US))
    clone.export(parcel)
    before = new.held()
    with pytest.raises(ParcelUnusable, match="batch 2 of epoch 0000000000000065 is here already, with other content"):
        new.load(parcel)
    assert new.held() == before


def test_an_older_copy_of_the_same_buffer_is_told_to_begin_empty(old: Gateway, new: Gateway, parcel: Path) -> None:
    new.draw = counted_epochs()
    new.use(lambda buffer: buffer.append([tags()], at_us=START_US))
    old.export(parcel)
    with pytest.raises(ParcelUnusable, match=r"goes on in .* import into an empty one"):
        new.load(parcel)


def test_an_agent_that_runs_keeps_its_buffer_to_itself(old: Gateway, new: Gateway, parcel: Path) -> None:
    old.export(parcel)
    for gateway in (old, new):
        with FileLock(lock_path(gateway.place.path)), pytest.raises(BufferInUse, match="held by process"):
            gateway.export(parcel.with_name("other")) if gateway is old else gateway.load(parcel)


def test_where_there_is_no_buffer_nothing_is_exported(new: Gateway, parcel: Path) -> None:
    with pytest.raises(BufferUnusable, match="there is no buffer at"):
        new.export(parcel)
    assert not parcel.exists()


def test_a_file_that_is_there_is_never_overwritten(old: Gateway, parcel: Path) -> None:
    parcel.write_text("precious")
    with pytest.raises(ParcelUnusable, match="is there already"):
        old.export(parcel)
    assert parcel.read_text() == "precious"


def test_a_place_that_cannot_be_written_is_said(old: Gateway, tmp_path: Path) -> None:
    with pytest.raises(ParcelUnusable, match="cannot be written: No such file or directory"):
        old.export(tmp_path / "nowhere" / "parcel")


def test_more_than_fits_is_refused_and_nothing_is_given_up_for_it(old: Gateway, tmp_path: Path, parcel: Path) -> None:
    old.use(lambda buffer: buffer.append([tags(), *(data(body_bytes=30_000) for _ in range(90))], at_us=START_US))
    old.export(parcel)
    tight = Gateway(tmp_path / "tight", max_bytes=1 * MIB)
    tight.draw = iter(range(800, 900)).__next__
    own = tight.use(lambda buffer: buffer.append([tags()], at_us=START_US))
    with pytest.raises(BufferFull, match=r"MiB too much for .* raise buffer\.max_size_mib"):
        tight.load(parcel)
    assert [key.epoch for key in tight.held()] == [own]


def test_what_a_killed_import_left_is_swept_away(old: Gateway, new: Gateway, parcel: Path) -> None:
    old.export(parcel)
    new.use(lambda buffer: buffer.append([tags()], at_us=START_US))
    for suffix in ("", "-wal"):
        new.place.path.with_name(f"buffer.db.importing{suffix}").write_bytes(b"half of it")
    new.load(parcel)
    assert sorted(path.name for path in new.place.path.parent.glob("*importing*")) == []
    assert len(new.held()) == 11


def tear(content: bytes) -> bytes:
    return content[:-40]


def flip(content: bytes) -> bytes:
    return content[:500] + bytes([content[500] ^ 1]) + content[501:]


def be_newer(content: bytes) -> bytes:
    return content.replace(b'"format":1', b'"format":2')


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (tear, "damaged, or torn"),
        (flip, "damaged"),
        (be_newer, "is of format 2, this program knows 1"),
        (lambda _: b"readings as JSON lines", "is not what `buffer export` writes"),
        (lambda _: b"", "is not what `buffer export` writes"),
        (lambda _: MAGIC + b"\xff\xff\xff\xff", "a label of 4294967295 bytes"),
        (lambda content: content[:100], "torn"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_and_changes_nothing(
    old: Gateway, new: Gateway, parcel: Path, damage: Callable[[bytes], bytes], words: str
) -> None:
    old.export(parcel)
    new.use(lambda buffer: buffer.append([tags()], at_us=START_US))
    parcel.write_bytes(damage(parcel.read_bytes()))
    before = new.held()
    with pytest.raises(ParcelUnusable, match=words):
        new.load(parcel)
    assert new.held() == before


def test_a_file_that_is_not_there_is_said_to_be_missing(new: Gateway, parcel: Path) -> None:
    with pytest.raises(ParcelUnusable, match="cannot be read: No such file"):
        new.load(parcel)


def test_a_whole_file_with_a_batch_that_is_none_is_refused(old: Gateway, new: Gateway, parcel: Path) -> None:
    old.export(parcel)
    label: Label = read_label(parcel)
    for name, frame in (("noise", b"noise"), ("other", b"")):
        forged = parcel.with_name(name)
        write_parcel(forged, label, [(START_US, frame or next(iter(old.held().values()))[:-1])])
        with pytest.raises(ParcelUnusable, match="holds a damaged batch"):
            new.load(forged)


SIZES = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 12), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=8)
@given(SIZES, st.booleans())
def test_any_buffer_comes_out_of_a_file_as_it_went_in(
    tmp_path_factory: pytest.TempPathFactory,
    epochs: list[tuple[int, int, bool]],
    waiting_only: bool,  # noqa: FBT001 hypothesis gives it by place
) -> None:
    directory = tmp_path_factory.mktemp("carried")
    old, new = Gateway(directory / "old"), Gateway(directory / "new")
    new.draw = iter(range(900, 999)).__next__

    def run(batches: int, acked: int, *, gives_up: bool) -> Callable[[SqliteBuffer], None]:
        def change(buffer: SqliteBuffer) -> None:
            buffer.append([tags(), *(data(at + 1) for at in range(batches))], at_us=START_US)
            buffer.apply(ack(buffer.epoch, min(acked, batches), (batches, batches), generation=3))
            if gives_up:
                buffer.give_up_data(reason="by hand", at_us=START_US)

        return change

    for batches, acked, gives_up in epochs:
        old.use(run(batches, acked, gives_up=gives_up))
    old.export(directory / "parcel", waiting_only=waiting_only)
    new.load(directory / "parcel")
    assert new.waiting() == old.waiting()
    held, kept = new.held(), old.held()
    assert held.items() <= kept.items()
    assert waiting_only or held == kept
    accounts = {one.epoch: one for one in old.ledger().epochs}
    assert all(one == accounts[one.epoch] for one in new.ledger().epochs if one.epoch < 900)
