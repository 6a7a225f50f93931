"""Every way in which bytes, words or names from outside can be wrong.

LinesideError
`-- ProtocolError               something from a wire does not mean what it should
|-- MalformedFrame          the frame cannot be read at all: count it, answer nothing
|   |-- Truncated           it ends before it should
|   |-- Oversized           it is, or would unpack to, more than the bound
|   |-- ChecksumMismatch    the crc32 does not hold
|   `-- UnknownVersion      written by a version this one does not know
|-- InvalidContent          the crc holds, what is inside is not valid: keep it aside
|-- InvalidTag              a tag's definition contradicts itself
|-- InvalidTopic            not one of our topics, or a name that cannot be in one
|-- InvalidTelemetry        a JSON message of the wrong form; says which field
|-- InvalidRows             rows that nothing can be learned from; says which channel (protocols/scoring)
`-- NetworkFailed           a model cannot be loaded or run; says why
"""


class LinesideError(Exception):
    """The root of every error that Lineside raises on purpose."""


class ProtocolError(LinesideError):
    """Something from a wire does not mean what it should."""


class MalformedFrame(ProtocolError):
    """The frame cannot be read at all."""


class Truncated(MalformedFrame):
    """The frame ends before it should."""


class Oversized(MalformedFrame):
    """The frame is, or would unpack to, more than the bound."""


class ChecksumMismatch(MalformedFrame):
    """The crc32 does not hold."""


class UnknownVersion(MalformedFrame):
    """The frame was written by a version this one does not know."""


class InvalidContent(ProtocolError):
    """The crc holds, and what is inside is not valid."""


class InvalidTag(ProtocolError):
    """A tag's definition contradicts itself."""


class InvalidTopic(ProtocolError):
    """Not one of our topics, or a name that cannot be part of one."""


class InvalidTelemetry(ProtocolError):
    """A JSON message of the wrong form."""


class NetworkFailed(ProtocolError):
    """A model cannot be loaded or run."""
