"""Sends a child process on an errand, bounded in time and in what it may say; it always ends before we go on."""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from edge_agent.errors import AgentError
from edge_agent.models.errand import MAX_ANSWER_BYTES, Answer, Errand, Reason

_WAYS = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
_PLACES = ("PATH", "HOME", "LANG", "TMPDIR", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")
PASSED_ON = frozenset([*_PLACES, "SSL_CERT_FILE", "SSL_CERT_DIR", *_WAYS, *map(str.lower, _WAYS)])
"""What a child may know of the agent's environment: ways and places, no secret."""
_MAX_WORDS = 64 * 1024
_LEFT_S = 2.0


class ErrandFailed(AgentError):
    """A child brought nothing back; reason: TIMED_OUT or CRASHED."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Children:
    """Starts `python -m MODULE`; environment: the agent's, of which a child gets what it needs."""

    environment: Mapping[str, str]

    async def send(self, module: str, errand: Errand, form: type[Answer]) -> Answer:
        """Return what the child says; raise ErrandFailed where it takes longer than its limit, or dies."""
        process = await self._start(module)
        try:
            async with asyncio.timeout(errand.limit_s):
                said, words = await _converse(process, msgspec.json.encode(errand))
                code = await process.wait()
        except TimeoutError as error:
            raise ErrandFailed(Reason.TIMED_OUT, f"not done within {errand.limit_s:g} s") from error
        finally:
            await _end(process)
        try:
            return msgspec.json.decode(said, type=form)
        except msgspec.MsgspecError as error:
            raise ErrandFailed(Reason.CRASHED, _ending(code, words)) from error

    async def _start(self, module: str) -> asyncio.subprocess.Process:
        environment = {name: value for name, value in self.environment.items() if name in PASSED_ON}
        pipe = asyncio.subprocess.PIPE
        try:
            return await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=environment | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            )
        except OSError as error:
            raise ErrandFailed(Reason.CRASHED, f"{module} cannot be started: {error.strerror}") from error


async def _converse(process: asyncio.subprocess.Process, errand: bytes) -> tuple[bytes, bytes]:
    stdin, stdout, stderr = process.stdin, process.stdout, process.stderr
    if stdin is None or stdout is None or stderr is None:
        raise ErrandFailed(Reason.CRASHED, "the child has no pipes")
    stdin.write(errand)
    with suppress(ConnectionError):
        await stdin.drain()
    stdin.close()
    said, words = await asyncio.gather(_read(stdout, MAX_ANSWER_BYTES), _read(stderr, _MAX_WORDS))
    return said, words


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill it where it lives, read its pipes to their end and wait for it: asyncio waits as long as a pipe is open."""
    with suppress(ProcessLookupError):
        process.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(_LEFT_S):
            await asyncio.gather(*map(_drain, filter(None, (process.stdout, process.stderr))))
            await process.wait()


async def _drain(pipe: asyncio.StreamReader) -> None:
    while await pipe.read(_MAX_WORDS):
        pass


async def _read(stream: asyncio.StreamReader, most: int) -> bytes:
    """Return the first `most` bytes; who says more than that is not listened to, and ends by its limit."""
    parts: list[bytes] = []
    left = most
    while left and (part := await stream.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _ending(code: int, words: bytes) -> str:
    last = words.decode(errors="replace").strip().rpartition("\n")[2][:200]
    how = f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return f"{how}: {last}" if last else how
