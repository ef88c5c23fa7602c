"""The connection that redis-py opens and leaves to us says and hears what redis-py would, and ends when it should."""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from server.broker import broker_connection as module
from server.broker.broker_connection import broker_connection, packed
from server.broker.broker_url import read_broker_url
from tests.harness.proxy import proxy_to_socket
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.server.tls.certificates import Authority

PASSWORD = "p@ss/w:rd#%"
WRITTEN = "p%40ss%2Fw%3Ard%23%25"


@asynccontextmanager
async def user_of(valkey: ValkeyServer, *rules: str) -> AsyncIterator[str]:
    """A user of the broker for as long as this lasts."""
    name = f"user-{secrets.token_hex(4)}"
    async with Redis.from_url(valkey.url) as admin:
        await admin.execute_command("ACL", "SETUSER", name, "on", f">{PASSWORD}", *rules)  # type: ignore[no-untyped-call]  # redis has none
        try:
            yield name
        finally:
            await admin.execute_command("ACL", "DELUSER", name)  # type: ignore[no-untyped-call]  # redis has none


@asynccontextmanager
async def behind_tls(target: Path, context: ssl.SSLContext) -> AsyncIterator[int]:
    """The port of something that ends TLS in front of a socket."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_unix_connection(target)
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer), return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def said_of_itself(url: str) -> dict[str, str]:
    """What the broker knows of a connection of ours with this URL, which it is asked about in several pieces."""
    replies: list[Any] = []
    async with broker_connection(read_broker_url(url), replies.append, PATIENCE_S) as connection:
        connection.send(packed("CLIENT", "INFO"))
        connection.send(packed("ECHO", "x" * 300_000))

        async def answered() -> bool:
            return len(replies) == 2

        await wait_until(answered)
        assert replies[1] == b"x" * 300_000
        connection.close()
        await connection.watch(lambda: connection.heard_at, PATIENCE_S)
    return dict(field.split("=", 1) for field in replies[0].decode().split())


async def test_whatever_a_url_says_is_honoured(valkey: ValkeyServer, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    socket = valkey.socket
    async with (
        user_of(valkey, "+@all", "&*") as user,
        proxy_to_socket(socket) as proxy,
        behind_tls(socket, authority.showing()) as tls_port,
    ):
        urls = {
            f"unix://{socket}?db=0&client_name=mine": {"db": "0", "name": "mine", "user": "default"},
            f"unix://{user}:{WRITTEN}@{socket}": {"db": "0", "name": "", "user": user},
            f"redis://{user}:{WRITTEN}@127.0.0.1:{proxy.port}/0": {"db": "0", "user": user},
            f"redis://127.0.0.1:{proxy.port}?username={user}&password={WRITTEN}": {"user": user},
            f"rediss://{user}:{WRITTEN}@127.0.0.1:{tls_port}?ssl_ca_certs={authority.file}": {"user": user},
            f"rediss://127.0.0.1:{tls_port}?ssl_cert_reqs=none": {"user": "default"},
        }
        for url, expected in urls.items():
            said = await said_of_itself(url)
            assert expected.items() <= said.items(), url
            assert said["resp"] == "2"


async def test_who_does_not_belong_there_gets_no_connection(valkey: ValkeyServer, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    async with (
        proxy_to_socket(valkey.socket) as proxy,
        behind_tls(valkey.socket, authority.showing()) as tls_port,
    ):
        for url in (
            f"redis://nobody:wrong@127.0.0.1:{proxy.port}",
            f"rediss://127.0.0.1:{tls_port}",
            f"redis://127.0.0.1:{proxy.port}/99",
            "redis://127.0.0.1:1",
            f"unix://{tmp_path}/none",
        ):
            with pytest.raises((RedisError, OSError)):
                await said_of_itself(url)


async def test_an_error_that_the_broker_replies_ends_the_connection(valkey: ValkeyServer) -> None:
    """Else messages that it does not take would pass for published."""
    async with user_of(valkey, "+@all", "resetchannels") as user, proxy_to_socket(valkey.socket) as proxy:
        replies: list[Any] = []
        url = f"redis://{user}:{WRITTEN}@127.0.0.1:{proxy.port}"
        async with broker_connection(url, replies.append, PATIENCE_S) as connection:
            connection.send(packed("PING") + packed("PUBLISH", "closed", b"x") + packed("PING"))
            with pytest.raises(ResponseError):
                await connection.watch(connection.clock, PATIENCE_S)
            assert not connection.takes_more
            connection.send(packed("PING"))  # in vain, and without an error
    assert replies == [b"PONG"]


async def test_what_goes_wrong_with_a_reply_is_raised_where_the_connection_is_watched(redis_url: str) -> None:
    """A fault of ours must not be swallowed by the loop: the process goes down with its reason."""

    def receive(_reply: object) -> None:
        raise ZeroDivisionError

    async with broker_connection(redis_url, receive, PATIENCE_S) as connection:
        connection.send(packed("PING"))
        with pytest.raises(ZeroDivisionError):
            await connection.watch(connection.clock, PATIENCE_S)


async def test_a_reply_without_end_is_not_gathered(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPLY_BYTES_MAX", 100_000)
    async with broker_connection(redis_url, lambda _reply: None, PATIENCE_S) as connection:
        connection.send(packed("ECHO", "x" * 10_000_000))
        with pytest.raises(RedisError, match="more than 100000 bytes"):
            await connection.watch(connection.clock, PATIENCE_S)


async def test_a_connection_that_is_cut_or_silent_is_told(valkey: ValkeyServer) -> None:
    async with proxy_to_socket(valkey.socket) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}"
        async with broker_connection(url, lambda _reply: None, PATIENCE_S) as connection:
            proxy.cut()
            with pytest.raises(OSError, match=r"reset|closed"):
                await connection.watch(connection.clock, PATIENCE_S)
        async with broker_connection(url, lambda _reply: None, PATIENCE_S) as connection:
            with pytest.raises(TimeoutError):
                await connection.watch(lambda: connection.heard_at, 0.05)
        proxy.half_open()
        with pytest.raises((RedisError, TimeoutError)):
            async with broker_connection(url, lambda _reply: None, 0.05):
                pass
