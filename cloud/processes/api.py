"""The api process: the web application under uvicorn."""

import asyncio
import gc
import socket
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import uvicorn

from cloud.api.aliases import Aliases
from cloud.clock import SystemClock
from cloud.config import Settings, load_settings
from cloud.listening import address, listen, listen_elsewhere, port_of
from cloud.live.hub import HEARTBEAT_S, LARGEST_MESSAGE
from cloud.logs import configure_logs
from cloud.processes.tether import DRAIN_S, Tether
from cloud.wiring import Api, open_api

_KEEP_ALIVE_S = 75
"""Longer than usual clients keep idle connections, so that none is closed under a request that is on its way."""

_SWITCHES_EVERY_S = 0.001
"""A thread that computes gives way so often; Python's own 5 ms are felt by whoever waits beside it."""


class _Server(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None], end: Callable[[], Awaitable[None]]) -> None:
        super().__init__(config)
        self._ready = ready
        self._end = end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve what is under way to its end."""
        await super().shutdown(sockets)
        await self._end()


def serve_api(settings: Settings, tether: Tether) -> None:
    """Serve until SIGTERM; raise InvalidConfig, Unavailable."""
    bound, elsewhere = tether.socket() or listen(settings), listen_elsewhere(settings)
    api = open_api(settings, SystemClock())

    def ready() -> None:
        _be_quick()
        api.services.load.start(asyncio.get_running_loop().call_soon_threadsafe)
        tether.tell_ready({"api": address(bound), **{name: address(one) for name, one in elsewhere.items()}})

    try:
        _run(api, [bound, *elsewhere.values()], ready, {port_of(one): name for name, one in elsewhere.items()})
    finally:
        api.close()


def _be_quick() -> None:
    """Let the event loop wait less for busy threads, and the collector pass over what lives as long as we do."""
    sys.setswitchinterval(_SWITCHES_EVERY_S)
    gc.collect()
    gc.freeze()


def frame_of(api: Api) -> dict[str, Any]:
    """Return how uvicorn serves the application: no logs of its own, and the heartbeat of live connections.

    What it says of each WebSocket holds the whole address, with the token that a client shows there.
    """
    return {
        "log_config": None,
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(api.trusted_proxies),
        "forwarded_allow_ips": list(api.trusted_proxies),
        "lifespan": "off",
        "ws_ping_interval": HEARTBEAT_S,
        "ws_ping_timeout": HEARTBEAT_S,
        "ws_max_size": LARGEST_MESSAGE,
        "timeout_keep_alive": _KEEP_ALIVE_S,
        "timeout_graceful_shutdown": round(DRAIN_S) - 5,
    }


def _run(api: Api, sockets: list[socket.socket], ready: Callable[[], None], ports: Mapping[int, str]) -> None:
    app = Aliases(api.app, ports)
    _Server(uvicorn.Config(app, **frame_of(api)), ready, api.end).run(sockets=sockets)


def main() -> None:
    """Run as a child of the supervisor."""
    tether = Tether.parse(sys.argv[1:])
    settings = load_settings(tether.config)
    configure_logs(settings.log.level, settings.log_level_path)
    tether.hold()
    serve_api(settings, tether)


if __name__ == "__main__":
    main()
