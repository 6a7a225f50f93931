"""A request to the running agent by a file in its models' directory: who may write there may ask.

No port is open for it: an HTTP door on loopback would serve every user of the machine and every web page it shows.
"""

import secrets
import time
from contextlib import suppress
from pathlib import Path

import msgspec

_MAX_BYTES = 4096
_LOOK_S = 0.05


class RollBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Go back to the model before the one that serves this Device."""

    id: str
    device: str


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What came of the request with this id, in words."""

    id: str
    is_done: bool
    words: str


class RequestBox:
    """Where requests are put and answered."""

    def __init__(self, directory: Path) -> None:
        self._request = directory / "request.json"
        self._answer = directory / "answer.json"

    def take(self) -> RollBack | None:
        """Take out the request that waits, if one does; what is none is thrown away."""
        try:
            with self._request.open("rb") as file:
                data = file.read(_MAX_BYTES)
            self._request.unlink()
        except OSError:
            return None
        with suppress(msgspec.MsgspecError, UnicodeDecodeError):
            return msgspec.json.decode(data, type=RollBack)
        return None

    def answer(self, answer: Answer) -> None:
        """Say what came of it; raise OSError."""
        _write(self._answer, msgspec.json.encode(answer))

    def ask(self, device: str, *, patience_s: float) -> Answer | None:
        """Put a request and wait for its answer, None where nobody answers in time; raise OSError."""
        request = RollBack(secrets.token_hex(8), device)
        _write(self._request, msgspec.json.encode(request))
        end_s = time.monotonic() + patience_s
        while time.monotonic() < end_s:
            answer = self._read_answer()
            if answer is not None and answer.id == request.id:
                return answer
            time.sleep(_LOOK_S)
        self._request.unlink(missing_ok=True)
        return None

    def _read_answer(self) -> Answer | None:
        with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError), self._answer.open("rb") as file:
            return msgspec.json.decode(file.read(_MAX_BYTES), type=Answer)
        return None


def _write(path: Path, data: bytes) -> None:
    draft = path.with_suffix(".draft")
    draft.write_bytes(data)
    draft.replace(path)
