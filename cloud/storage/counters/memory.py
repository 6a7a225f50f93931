"""MemoryCounters: counts for one process."""

from cloud.ports import Hit

_MOST = 100_000


class MemoryCounters:
    """A dictionary; bounded, since callers' addresses are not: when it is full the oldest half is forgotten."""

    def __init__(self) -> None:
        self._hits: dict[str, Hit] = {}

    async def hit(self, key: str, *, window_s: int, now_us: int) -> Hit:
        """Count one and return the window's state."""
        found = self._hits.get(key)
        if found is None or found.ends_us <= now_us:
            self._make_room(now_us)
            found = Hit(0, now_us + window_s * 1_000_000)
        hit = self._hits[key] = Hit(found.count + 1, found.ends_us)
        return hit

    async def facts(self) -> None:
        """Return nothing: it is no server of its own."""

    async def close(self) -> None:
        """Forget everything."""
        self._hits.clear()

    def _make_room(self, now_us: int) -> None:
        if len(self._hits) < _MOST:
            return
        self._hits = {key: hit for key, hit in self._hits.items() if hit.ends_us > now_us}
        if len(self._hits) >= _MOST:
            newest = sorted(self._hits.items(), key=lambda item: item[1].ends_us)[_MOST // 2 :]
            self._hits = dict(newest)
