"""What paho's client is to be told of a proxy on the way to the broker."""

from urllib.parse import urlsplit


def proxy_options(url: str) -> dict[str, object]:
    """Return the arguments of paho's `proxy_set` for http://HOST:PORT or socks5://HOST:PORT."""
    import socks  # type: ignore[import-untyped]  # noqa: PLC0415  # only where there is a proxy

    parts = urlsplit(url)
    kinds = {"http": socks.HTTP, "socks5": socks.SOCKS5}
    return {
        "proxy_type": kinds[parts.scheme],
        "proxy_addr": parts.hostname,
        "proxy_port": parts.port,
        "proxy_username": parts.username,
        "proxy_password": parts.password,
    }
