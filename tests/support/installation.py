"""Installation: a data directory with readings, records, a file and packages, and ways to look at what is in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from cloud.backups.taking import Taken, take_backup
from cloud.config import Settings
from cloud.fleet.repository import PackageRepository
from cloud.ingest.books import Books
from cloud.ingest.figures import Figures
from cloud.ingest.intake import Intake
from cloud.ingest.parcels import BatchParcel
from cloud.storage.chunks.database import Database, Space
from cloud.storage.chunks.store import ChunkStore
from cloud.storage.files import DirectoryFiles
from tests.support.cloud import Template, settings_in
from tests.support.cloud_clock import HandClock
from tests.support.ingest import EPOCH, GATEWAY


def no_pause() -> None:
    """Go on at once."""


def no_room(_: Path) -> Space:
    """Say that the disk is full."""
    return Space(1 << 40, 1 << 20)


class Installation:
    """A cloud that stands still, in `data` of a directory; its configuration file lies beside that."""

    def __init__(self, directory: Path, *, clock: HandClock | None = None) -> None:
        self.clock = clock or HandClock(1_900_000_000_000_000)
        self.config = directory / "lineside-cloud.yaml"
        self.backups = directory / "backups"
        self.settings: Settings = settings_in(directory, data="data")

    @property
    def data(self) -> Path:
        """Return the data directory."""
        return self.settings.data

    def make(self, template: Template) -> "Installation":
        """Fill it with a bit of everything."""
        template.copy_to(self.data)
        self.config.write_text("data: data\n", encoding="utf-8")
        self.file = DirectoryFiles(self.settings.files_path).put("datasets", b"1,2,3\n")
        (self.data / "links.key").write_bytes(b"secret")
        PackageRepository(self.settings.packages_path, self.clock).create(self.settings.offline_keys_path)
        return self

    @contextmanager
    def opened(self) -> Iterator[tuple[Books, ChunkStore]]:
        """Open the readings for writing."""
        database = Database(self.settings.readings_path, minimum_free=0.0)
        try:
            store = ChunkStore(database, self.clock)
            yield Books.open(database, now_s=1_750_000_000), store
        finally:
            database.close()

    def store(self, *frames: bytes, gateway: str = GATEWAY) -> None:
        """Settle frames as the ingest process does."""
        with self.opened() as (books, store):
            intake = Intake(store, books, clock=self.clock, figures=Figures())
            intake.settle([BatchParcel(gateway, frame) for frame in frames])

    def take(self) -> Taken:
        """Take a backup."""
        self.clock.move(1)
        return take_backup(self.settings, self.backups, config=self.config, clock=self.clock, pause=no_pause)

    def generation(self) -> int:
        """Return the store's generation."""
        with self.opened() as (books, _):
            return books.ledger.generation

    def archived(self, epoch: int = EPOCH) -> int:
        """Return the mark of the archive of an epoch."""
        with self.opened() as (books, _):
            return books.ledger.entry(GATEWAY, epoch, now_us=0).account.archived

    def readings(self) -> int:
        """Return how many readings are stored."""
        with self.opened() as (_, store):
            return store.figures().readings


def contents(directory: Path) -> Mapping[str, str]:
    """Return path -> sha256 of every file below, locks left out."""
    files = (path for path in directory.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(directory)): sha256(path.read_bytes()).hexdigest() for path in files}
