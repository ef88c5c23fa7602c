"""Which server a ledger's connections go to, and how they are encrypted.

PostgreSQL's wheel knows no TLS: a front before it answers the request for TLS as a server with ``ssl=on`` does, with a
certificate of its own, and passes on what was encrypted.
"""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ledger.database import connector as connector_module
from ledger.database.connector import STANDBY, CheckedConnection, Connector, NoPrimary, Unusable
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import proxy_to_socket
from tests.harness.servers import free_port
from tests.server.tls.certificates import Authority

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
DATABASE = "postgres"


class Front:
    """``encrypted``: connections that were. ``context`` None: a server without TLS."""

    def __init__(self, socket: Path, context: ssl.SSLContext | None) -> None:
        self.encrypted = 0
        self.port = 0
        self._socket = socket
        self._context = context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(8)
        if head == SSL_REQUEST:
            writer.write(b"N" if self._context is None else b"S")
            if self._context is not None:
                try:
                    await writer.start_tls(self._context)
                except (ssl.SSLError, ConnectionError):
                    writer.close()
                    return
                self.encrypted += 1
            head = b""
        up_reader, up_writer = await asyncio.open_unix_connection(str(self._socket))
        up_writer.write(head)
        await asyncio.gather(_pass(reader, up_writer), _pass(up_reader, writer))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


@asynccontextmanager
async def front(postgres: PostgresServer, context: ssl.SSLContext | None) -> AsyncIterator[Front]:
    found = Front(postgres.socket, context)
    async with await asyncio.start_server(found.serve, "127.0.0.1", 0) as server:
        found.port = server.sockets[0].getsockname()[1]
        yield found


async def connects(url: str) -> bool:
    connection = await Connector(url).connect({})
    await connection.close()
    return True


async def test_a_database_with_tls_is_reached_as_its_url_says(postgres: PostgresServer, tmp_path: Path) -> None:
    ours, other = Authority(tmp_path / "ours", "localhost"), Authority(tmp_path / "other", "localhost")
    async with front(postgres, ours.showing()) as tls:
        url = postgres.proxied_url(tls.port, DATABASE)
        named = url.replace("127.0.0.1", "localhost")
        for good in (
            f"{url}?sslmode=require",
            f"{url}?sslmode=prefer&channel_binding=prefer",
            f"{url}?sslmode=verify-ca&sslrootcert={ours.file}",
            f"{named}?sslmode=verify-full&sslrootcert={ours.file}&connect_timeout=20",
        ):
            before = tls.encrypted
            assert await connects(good)
            assert tls.encrypted == before + 1, good
        for bad in (
            f"{url}?sslmode=verify-full&sslrootcert={ours.file}",  # issued for localhost only
            f"{named}?sslmode=verify-full&sslrootcert={other.file}",
            f"{named}?sslrootcert=system",
        ):
            with pytest.raises(ssl.SSLCertVerificationError):
                await connects(bad)


async def test_a_database_without_tls_is_refused_where_the_url_asks_for_it(postgres: PostgresServer) -> None:
    async with front(postgres, None) as plain:
        url = postgres.proxied_url(plain.port, DATABASE)
        with pytest.raises(ConnectionError, match="rejected SSL"):
            await connects(f"{url}?sslmode=require")
        assert await connects(f"{url}?sslmode=prefer")


async def test_a_host_that_is_gone_or_silent_is_passed_over_and_not_asked_first_again(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector_module, "HOST_TIMEOUT_S", 10.0)  # of which connect_timeout=4 is less
    async with proxy_to_socket(postgres.socket) as silent, proxy_to_socket(postgres.socket) as good:
        silent.up.stall()
        gone = free_port()
        url = postgres.proxied_url(good.port, DATABASE)
        hosts = f"127.0.0.1:{gone},127.0.0.1:{silent.port},127.0.0.1:{good.port}"
        connector = Connector(url.replace(f"127.0.0.1:{good.port}", hosts) + "?connect_timeout=4&sslmode=disable")
        for _ in range(2):
            connection = await connector.connect({})
            await connection.close()
        assert (silent.accepted, good.accepted) == (1, 2)
        assert connector.doubts == 1, "connections to another host, if there were any, are not used again"


async def test_settings_of_the_url_reach_the_session(postgres: PostgresServer) -> None:
    url = postgres.url(DATABASE) + "&application_name=till&options=-c%20statement_timeout%3D4321"
    connection = await Connector(url).connect({"application_name": "stockwire", "lock_timeout": "2s"})
    try:
        names = ("application_name", "statement_timeout", "lock_timeout")
        shown = [await connection.fetchval("select current_setting($1)", name) for name in names]
    finally:
        await connection.close()
    assert shown == ["till", "4321ms", "2s"]


async def test_a_primary_that_refuses_us_is_not_taken_for_the_standby_that_was_asked_before_it(
    postgres: PostgresServer,
) -> None:
    """A ledger that was contracted away waited for a primary for as long as it waits for any database."""
    asked: list[CheckedConnection] = []

    async def admit(connection: CheckedConnection) -> None:
        asked.append(connection)
        raise NoPrimary(STANDBY) if len(asked) == 1 else Unusable("too old")

    async with proxy_to_socket(postgres.socket) as standby, proxy_to_socket(postgres.socket) as primary:
        hosts = f"127.0.0.1:{standby.port},127.0.0.1:{primary.port}"
        url = postgres.proxied_url(standby.port, DATABASE).replace(f"127.0.0.1:{standby.port}", hosts)
        with pytest.raises(Unusable, match="too old"):
            await Connector(url, admit).connect({})
    assert len(asked) == 2
