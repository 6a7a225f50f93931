"""zstd, bounded: the one place that knows the compressor.

A zstd context must not be used by two threads at once (sharing one ends in "Data corruption detected"), and making one
costs as much as packing a small batch. So each thread keeps its own; this cache is the only module-level state here.
"""

import threading

import zstandard

from protocols.errors import InvalidContent

LEVEL = 1
"""What is left after the columns were prepared is noise: higher levels cost more and gain less than 2 %."""


class _Contexts(threading.local):
    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False, write_content_size=True)
        self.decompressor = zstandard.ZstdDecompressor()


_contexts = _Contexts()


def compress(raw: bytes) -> bytes:
    """Return one zstd frame that says its own size."""
    return _contexts.compressor.compress(raw)


def decompress(packed: bytes, *, limit: int) -> bytes:
    """Return what was compressed; raise InvalidContent where it is damaged or over `limit` bytes, which it says itself.

    Nothing is allocated before the size was read and found to be within the limit.
    """
    try:
        size = zstandard.get_frame_parameters(packed).content_size
    except zstandard.ZstdError as error:
        raise InvalidContent(f"{len(packed)} bytes that should be zstd are not: {error}") from error
    if size in (zstandard.CONTENTSIZE_UNKNOWN, zstandard.CONTENTSIZE_ERROR) or size > limit:
        raise InvalidContent(f"a zstd frame must say a size of at most {limit} bytes, not {size}")
    try:
        return _contexts.decompressor.decompress(packed, max_output_size=limit, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise InvalidContent(f"damaged zstd frame of {len(packed)} bytes: {error}") from error
