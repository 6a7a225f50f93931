"""PackageClient: the real TUF client on a repository's files, as a gateway asks for them; and hands that tamper."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

from cloud.errors import NotFound
from cloud.fleet.package_files import PackageFiles


@dataclass
class FilesFetcher(FetcherInterface):
    """Answers as the door does: metadata/NAME and targets/PATH, 404 for the rest; swapped: other bytes by URL."""

    files: PackageFiles
    asked: list[str] = field(default_factory=list)
    swapped: dict[str, bytes] = field(default_factory=dict)

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.asked.append(url)
        kind, _, name = url.removeprefix("http://cloud/").partition("/")
        if url in self.swapped:
            return iter([self.swapped[url]])
        try:
            data = self.files.metadata(name) if kind == "metadata" else self.files.target(name).read_bytes()
        except NotFound as error:
            raise DownloadHTTPError("not found", 404) from error
        return iter([data])


class PackageClient:
    """One gateway's trust: the root it was enrolled with and what it has seen since."""

    def __init__(self, repository: Path, directory: Path, root: bytes) -> None:
        self.fetcher = FilesFetcher(PackageFiles(repository))
        self._directory = directory
        self._root: bytes | None = root
        (directory / "metadata").mkdir(parents=True)
        (directory / "targets").mkdir()

    def fetch(self, path: str, *, at: datetime | None = None) -> bytes | None:
        """Return the package as it was verified, None where the repository has none of this path; raise as tuf does."""
        updater = Updater(
            str(self._directory / "metadata"),
            "http://cloud/metadata/",
            str(self._directory / "targets"),
            "http://cloud/targets/",
            self.fetcher,
            bootstrap=self._root,
        )
        self._root = None
        if at is not None:
            updater._trusted_set.reference_time = at  # noqa: SLF001 tuf's own tests move its clock so
        found = updater.get_targetinfo(path)
        return None if found is None else Path(updater.download_target(found)).read_bytes()
