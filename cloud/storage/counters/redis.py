"""RedisCounters: counts for all processes of all hosts, and says how Redis is. The only file that imports redis."""

from time import perf_counter

from cloud.errors import InvalidConfig, Unavailable
from cloud.ports import CacheFacts, Hit

try:
    import redis.asyncio as redis_client
    from redis.exceptions import RedisError
except ModuleNotFoundError as error:
    raise InvalidConfig(['redis.url: the extra is not installed: pip install "lineside[redis]"']) from error

_TIMEOUT_S = 0.5
_PREFIX = "lineside:hits:"
_HIT = """
local found = redis.call('HMGET', KEYS[1], 'count', 'ends')
local now, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local count, ends = tonumber(found[1]), tonumber(found[2])
if not ends or ends <= now then
  count, ends = 0, now + window
  redis.call('PEXPIRE', KEYS[1], math.ceil(window / 500))
end
count = count + 1
redis.call('HSET', KEYS[1], 'count', count, 'ends', string.format('%.0f', ends))
if count == 1 then redis.call('PEXPIRE', KEYS[1], math.ceil(window / 500)) end
return {count, string.format('%.0f', ends)}
"""


class RedisCounters:
    """One pool of connections for one event loop; every wait has an end."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet; raise InvalidConfig for what is no URL of Redis."""
        try:
            self._redis = redis_client.Redis.from_url(
                url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, decode_responses=True
            )
        except ValueError as error:
            raise InvalidConfig([f"redis.url: {error}"]) from error
        self._script = self._redis.register_script(_HIT)

    async def hit(self, key: str, *, window_s: int, now_us: int) -> Hit:
        """Count one and return the window's state; raise Unavailable."""
        try:
            count, ends_us = await self._script(keys=[_PREFIX + key], args=[now_us, window_s * 1_000_000])
        except (RedisError, OSError) as error:
            raise Unavailable(f"Redis cannot be used: {error}", code="REDIS_UNAVAILABLE") from error
        return Hit(int(count), int(ends_us))

    async def facts(self) -> CacheFacts:
        """Return how Redis is; raise Unavailable."""
        begun = perf_counter()
        try:
            told = await self._redis.info()
        except (RedisError, OSError) as error:
            raise Unavailable(f"Redis cannot be used: {error}", code="REDIS_UNAVAILABLE") from error
        hits, misses = int(told["keyspace_hits"]), int(told["keyspace_misses"])
        return CacheFacts(
            mode=str(told["redis_mode"]),
            version=str(told["redis_version"]),
            memory_bytes=int(told["used_memory"]),
            hit_rate=hits / (hits + misses) if hits + misses else None,
            response_s=perf_counter() - begun,
        )

    async def close(self) -> None:
        """Let go of all connections."""
        await self._redis.aclose()
