"""The child that fetches packages: `python -m edge_agent.models.fetch`, the only user of python-tuf on a gateway.

What the update client knows stays in `DIRECTORY/tuf`, so that nothing older than what was seen is taken, over
restarts; a package is written to `DIRECTORY/incoming` only after its length and hash held.

Source: The Update Framework Specification 1.0, https://theupdateframework.github.io/specification/.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Signed, Targets
from tuf.api.serialization import DeserializationError
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from edge_agent import VERSION
from edge_agent.models.errand import FetchAnswer, Fetched, FetchErrand, Reason, run_errand
from protocols.package import MAX_PACKAGE_BYTES

METADATA = "/api/v1/packages/metadata/"
TARGETS = "/api/v1/packages/targets/"
IDLE_S = 20.0
MEMORY_BYTES = 512 * 2**20
_CHUNK_BYTES = 64 * 1024
HTTP_REASONS = {401: Reason.DENIED, 403: Reason.DENIED, 404: Reason.NOT_FOUND}
REASONS: dict[type[Exception], Reason] = {
    exceptions.DownloadLengthMismatchError: Reason.OVERSIZED,
    exceptions.DownloadError: Reason.UNREACHABLE,
    exceptions.ExpiredMetadataError: Reason.EXPIRED,
    exceptions.BadVersionNumberError: Reason.OLDER,
    exceptions.RepositoryError: Reason.TAMPERED,
}
"""The first that an error is one of."""


class Refused(Exception):
    """Something that this child itself finds wrong with a package."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class _NoRedirect(HTTPRedirectHandler):
    """Follows nobody, since the key would go along."""

    def redirect_request(self, *_: object) -> None:
        """Return no request: the answer is then an error."""


class CloudFetcher(FetcherInterface):
    """Gets files from the cloud with the gateway's key until `end_s` on the monotonic clock.

    wanted, received: bytes asked for at most and come of the last file; last: its first bytes.
    """

    def __init__(self, key: str, end_s: float) -> None:
        self._headers = {"User-Agent": f"lineside-agent/{VERSION}", **({"X-API-Key": key} if key else {})}
        self._end_s = end_s
        self._opener = build_opener(_NoRedirect)
        self.wanted = self.received = 0
        self.last = bytearray()

    @contextmanager
    def download_file(self, url: str, max_length: int) -> Iterator[IO[bytes]]:
        """Yield the file; see FetcherInterface."""
        self.wanted = max_length
        with super().download_file(url, max_length) as file:
            yield file

    def _fetch(self, url: str) -> Iterator[bytes]:
        self.received = 0
        self.last.clear()
        request = Request(url, headers=self._headers)  # noqa: S310 - the configuration takes http and https only
        try:
            response = self._opener.open(request, timeout=self._patience_s())
        except HTTPError as error:
            with error:
                raise exceptions.DownloadHTTPError(f"{url}: HTTP {error.code} {error.reason}", error.code) from error
        except (OSError, HTTPException) as error:
            raise exceptions.DownloadError(f"{url}: {error}") from error
        return self._chunks(url, response)

    def _chunks(self, url: str, response: HTTPResponse) -> Iterator[bytes]:
        try:
            with response:
                while chunk := response.read1(_CHUNK_BYTES):
                    self._patience_s()
                    self.received += len(chunk)
                    self.last += chunk[: _CHUNK_BYTES - len(self.last)]
                    yield chunk
                left = response.length
        except (OSError, HTTPException) as error:
            raise exceptions.DownloadError(f"{url}: broke off after {self.received} bytes: {error}") from error
        if left:
            raise exceptions.DownloadError(f"{url}: broke off after {self.received} bytes, {left} before its end")

    def _patience_s(self) -> float:
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise exceptions.SlowRetrievalError("the time for this errand is over")
        return min(IDLE_S, left_s)


class Fetching:
    """One errand: the metadata once, then each package."""

    def __init__(self, errand: FetchErrand, end_s: float) -> None:
        self._errand = errand
        self._known = Path(errand.directory) / "tuf"
        self._incoming = Path(errand.directory) / "incoming"
        self._fetcher = CloudFetcher(errand.key, end_s)

    def run(self) -> FetchAnswer:
        """Return how each package was fetched."""
        try:
            updater = self._updater()
            updater.refresh()
        except (exceptions.RepositoryError, exceptions.DownloadError, OSError, Refused) as error:
            return FetchAnswer(tuple(self._refusal(path, error) for path in self._errand.paths))
        return FetchAnswer(tuple(self._one(updater, path) for path in self._errand.paths))

    def _updater(self) -> Updater:
        for directory in (self._known, self._incoming):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Updater(
            str(self._known),
            self._errand.url.rstrip("/") + METADATA,
            str(self._incoming),
            self._errand.url.rstrip("/") + TARGETS,
            fetcher=self._fetcher,
            config=UpdaterConfig(max_root_rotations=64, max_delegations=4),
            bootstrap=self._pinned_root(),
        )

    def _pinned_root(self) -> bytes:
        try:
            root = Path(self._errand.root).read_bytes()
            keys = json.loads(root)["signed"]["keys"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Refused(Reason.NO_ROOT, f"{self._errand.root} is no root of trust: {error}") from error
        if not keys:
            raise Refused(Reason.NO_ROOT, f"{self._errand.root} trusts nobody")
        return root

    def _one(self, updater: Updater, path: str) -> Fetched:
        try:
            file = self._download(updater, path)
            data = Path(file).read_bytes()
        except (exceptions.RepositoryError, exceptions.DownloadError, OSError, Refused) as error:
            return self._refusal(path, error)
        return Fetched(path, file, sha256(data).hexdigest())

    def _download(self, updater: Updater, path: str) -> str:
        target = updater.get_targetinfo(path)
        if target is None:
            raise Refused(Reason.NOT_FOUND, f"the signatures name no {path}")
        if target.length > MAX_PACKAGE_BYTES:
            raise Refused(Reason.OVERSIZED, f"{path}: {target.length} bytes are over {MAX_PACKAGE_BYTES}")
        return updater.find_cached_target(target) or updater.download_target(target)

    def _refusal(self, path: str, error: Exception) -> Fetched:
        return Fetched(path, reason=self._reason(error), detail=str(error)[:300])

    def _reason(self, error: Exception) -> Reason:
        match error:
            case Refused():
                return error.reason
            case exceptions.DownloadHTTPError() if error.status_code in HTTP_REASONS:
                return HTTP_REASONS[error.status_code]
            case exceptions.UnsignedMetadataError():
                return Reason.TAMPERED if self._is_of_known_signers() else Reason.FOREIGN
            case exceptions.LengthOrHashMismatchError() if self._fetcher.received < self._fetcher.wanted:
                return Reason.TRUNCATED
        return next((reason for kind, reason in REASONS.items() if isinstance(error, kind)), Reason.DISK)

    def _is_of_known_signers(self) -> bool:
        """Return whether the last file claims a signature of a key that the trusted metadata name."""
        try:
            claimed = Metadata.from_bytes(bytes(self._fetcher.last)).signatures
        except (DeserializationError, exceptions.RepositoryError):
            return False
        return not self._known_keys().isdisjoint(claimed)

    def _known_keys(self) -> set[str]:
        found: set[str] = set()
        for name in ("root.json", "targets.json"):
            with suppress(OSError, DeserializationError, exceptions.RepositoryError):
                found |= keys_of(Metadata.from_bytes((self._known / name).read_bytes()).signed)
        return found


def keys_of(signed: Signed) -> set[str]:
    """Return the ids of all keys that these metadata trust."""
    if isinstance(signed, Root):
        return set(signed.keys)
    if isinstance(signed, Targets) and signed.delegations is not None:
        return set(signed.delegations.keys)
    return set()


def fetch(errand: FetchErrand) -> FetchAnswer:
    """Return how each package of the errand was fetched, well before its limit."""
    return Fetching(errand, time.monotonic() + 0.9 * errand.limit_s).run()


if __name__ == "__main__":
    run_errand(FetchErrand, fetch, memory_bytes=MEMORY_BYTES)
