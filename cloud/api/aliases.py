"""Aliases: the same application on more ports, where clients of other products look for theirs."""

from collections.abc import Mapping

from cloud.api.wire import App, Receive, Scope, Send

CONSOLE, REGISTRY = "console", "registry"


class Aliases:
    """Notes under which name a connection came in, as `alias` in its scope; ports: the names by port."""

    def __init__(self, app: App, ports: Mapping[int, str]) -> None:
        self._app = app
        self._ports = ports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or one live connection."""
        server = scope.get("server")
        if server is not None and server[1] in self._ports:
            scope["alias"] = self._ports[server[1]]
        await self._app(scope, receive, send)
