"""How the agent loads models: as everybody does, and then gives back the code that only loading needs.

A runtime has 18 MiB of code, of which a model of a few kB runs some hundred kB; the kernel maps what comes after it as
well. Those pages are of a file and never written to: dropped, they cost nothing, and what runs comes back by itself.
"""

import ctypes
import mmap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from protocols.scoring import loader
from protocols.scoring.network import Network

RUNTIMES = ("/ai_edge_litert/", "/tflite_runtime/")


def load_network(data: bytes) -> Network:
    """Return the model, ready to run; raise NetworkFailed where it cannot be loaded, or is not int8 in and out."""
    network = loader.load_network(data)
    with suppress(OSError, AttributeError):  # no Linux, no such advice: it is only memory
        for begin, size in _code_of_runtimes():
            ctypes.CDLL(None).madvise(ctypes.c_void_p(begin), ctypes.c_size_t(size), mmap.MADV_DONTNEED)
    return network


def _code_of_runtimes() -> Iterator[tuple[int, int]]:
    """Yield address and size of each mapping that is code of a runtime, which is never written to."""
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        if " r-xp " in line and any(name in line for name in RUNTIMES):
            begin, _, end = line.partition(" ")[0].partition("-")
            yield int(begin, 16), int(end, 16) - int(begin, 16)
