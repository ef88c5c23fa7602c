"""The connections of a blocking client, as a transport for httpx."""

import re
import ssl
from collections.abc import Iterable, Iterator
from typing import Any, cast
from urllib.request import getproxies, proxy_bypass

import httpcore
import httpx

from stockwire.errors import ConfigurationError
from stockwire.request import CONNECTIONS_MAX

KEEPALIVE_S = 5.0
"""As httpx has it: below the time after which servers and balancers usually close an idle connection."""


class Pool(httpx.BaseTransport):
    """To one ledger, through the proxy that the environment names for it, with ``backend`` doing the I/O. Thread-safe.

    Raises httpcore's errors. httpx's own transport takes no backend, hence this one.
    """

    def __init__(self, url: httpx.URL, backend: httpcore.NetworkBackend, trust: ssl.SSLContext | None = None) -> None:
        self._connections = _connections(url, backend, trust)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = httpcore.Request(
            method=request.method,
            url=_core_url(request.url),
            headers=request.headers.raw,
            content=cast(Iterable[bytes], request.stream),
            extensions=request.extensions,
        )
        answer = self._connections.handle_request(asked)
        # what was not given by a caller is a bare dict to httpcore
        known: Any = answer.extensions  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=known)

    def close(self) -> None:
        self._connections.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


def _connections(
    url: httpx.URL, backend: httpcore.NetworkBackend, trust: ssl.SSLContext | None
) -> httpcore.ConnectionPool:
    proxy = _proxy_for(url)
    tls = trust
    if tls is None and "https" in (url.scheme, proxy and proxy.url.scheme):
        tls = httpx.create_ssl_context()
    if proxy is None:
        return httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=CONNECTIONS_MAX,
            keepalive_expiry=KEEPALIVE_S,
            network_backend=backend,
        )
    return httpcore.HTTPProxy(
        proxy_url=_core_url(proxy.url),
        proxy_auth=proxy.raw_auth,
        ssl_context=tls,
        max_connections=CONNECTIONS_MAX,
        max_keepalive_connections=CONNECTIONS_MAX,
        keepalive_expiry=KEEPALIVE_S,
        network_backend=backend,
    )


def _proxy_for(url: httpx.URL) -> httpx.Proxy | None:
    """As HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY say. Raises ConfigurationError."""
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all")
    if not named or proxy_bypass(url.host):
        return None
    if not named.startswith(("http://", "https://")):
        if "://" in named:
            raise ConfigurationError(f"the proxy {_shown(named)} is none of HTTP: name the ledger's host in NO_PROXY")
        named = f"http://{named}"
    return httpx.Proxy(named)


def _shown(proxy: str) -> str:
    """Scheme and host alone: a name and a password before the @ are nobody's to read in a log."""
    scheme, _, rest = proxy.partition("://")
    return f"{scheme}://{re.split('[/?#]', rest.rpartition('@')[2])[0]}"


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
