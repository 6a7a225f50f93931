"""Every way in which the cloud refuses; services raise these, `api/errors.py` renders them once.

LinesideError
`-- CloudError
|-- InvalidConfig   the configuration file is wrong: every finding at once
|-- NotFound        there is no such thing
|-- Conflict        it contradicts what is there
|-- Forbidden       known, but not allowed
|-- Unauthorized    not known
|-- Invalid         the request contradicts itself or the rules; says which field
|-- Malformed       what was sent is not what it says it is, such as a damaged file
|-- TooLarge        what was sent is over a bound
|-- Limited         too many requests; says when to come again
|-- Failed          it was tried, and something here is not as it should be; says what
|-- NotInstalled    an extra that this needs is not installed
`-- Unavailable     not now: a store is full, locked or away
"""

from collections.abc import Sequence

from protocols.errors import LinesideError


class CloudError(LinesideError):
    """The root; `code` is the specific code, `details` are facts for the caller."""

    def __init__(self, message: str, *, code: str = "", details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.details = details or {}


class InvalidConfig(CloudError):
    """The configuration file is wrong; findings say where, what and what is allowed."""

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__("\n".join(findings), code="INVALID_CONFIG")
        self.findings = tuple(findings)


class NotFound(CloudError):
    """There is no such thing."""


class Conflict(CloudError):
    """It contradicts what is there."""


class Forbidden(CloudError):
    """Known, but not allowed."""


class Unauthorized(CloudError):
    """Not known."""


class Invalid(CloudError):
    """The request contradicts itself or the rules."""


class Malformed(CloudError):
    """What was sent is not what it says it is."""


class TooLarge(CloudError):
    """What was sent is over a bound."""


class Limited(CloudError):
    """Too many requests; retry_after_s says when to come again."""

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message, code="RATE_LIMITED")
        self.retry_after_s = retry_after_s


class Failed(CloudError):
    """It was tried, and something here is not as it should be."""


class NotInstalled(CloudError):
    """An extra that this needs is not installed."""


class Unavailable(CloudError):
    """Not now."""
