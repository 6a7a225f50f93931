"""Every way in which the agent's work can fail on purpose.

LinesideError
`-- AgentError
|-- InvalidConfig       the configuration file is wrong: every Finding at once, with file:line:column
|-- DeviceError         a Device cannot be read now
|   |-- DeviceRefused   it answered, and the answer is no
|   |-- DeviceGarbled   what came is no answer to what was asked
|   `-- DeviceLost      nothing answers at all: probe again later
|-- BufferUnusable      the buffer cannot be used
|   |-- BufferFull      nothing more can be given up for room
|   |-- BufferDamaged   the file is not a buffer, or is corrupt; it was set aside
|   `-- BufferInUse       another process has it
|-- ParcelUnusable      a file of exported batches is not whole, or not for this buffer
|-- ModelsUnusable      the gateway's own models cannot be read or written
`-- UplinkLost          the broker cannot be reached, or went away
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.errors import LinesideError


class AgentError(LinesideError):
    """The root of the agent's errors."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing wrong in a configuration file; line and column count from 1, path is like `devices[0].tags[3].type`."""

    file: str
    line: int
    column: int
    path: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        subject = f"{self.path}: " if self.path else ""
        advice = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {subject}{self.message}{advice}"


class InvalidConfig(AgentError):
    """The configuration file is wrong; findings: everything that is, in the order of the file."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = tuple(findings)


class DeviceError(AgentError):
    """A Device cannot be read now."""


class DeviceRefused(DeviceError):
    """It answered, and the answer is no; code: the protocol's own, such as a Modbus exception code."""

    def __init__(self, message: str, *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class DeviceGarbled(DeviceError):
    """What came is no answer to what was asked."""


class DeviceLost(DeviceError):
    """Nothing answers at all."""


class BufferUnusable(AgentError):
    """The buffer cannot be used."""


class BufferFull(BufferUnusable):
    """Nothing more can be given up for room."""


class BufferDamaged(BufferUnusable):
    """The file is not a buffer, or is corrupt."""


class BufferInUse(BufferUnusable):
    """Another process has the buffer."""


class ParcelUnusable(AgentError):
    """A file of exported batches is not whole, or not for this buffer."""


class UplinkLost(AgentError):
    """The broker cannot be reached, or went away."""


class ModelsUnusable(AgentError):
    """The gateway's own models cannot be read or written."""
