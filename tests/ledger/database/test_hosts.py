"""Which of the hosts that a URL names is asked, and which connections are trusted after one was no primary any more."""

import asyncio
from collections.abc import Mapping

import asyncpg
import pytest

from ledger.database import connector as connector_module
from ledger.database.connector import READ_ONLY, CheckedConnection, Connector, NoPrimary
from ledger.database.engine import SERVER_SETTINGS, create_engine
from tests.harness.own_thread import here_alone
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import proxy_to_socket
from tests.harness.waiting import PATIENCE_S

URL = "postgresql://user@a,b/database"
PRIMARY, FENCED = (False, False), (False, True)

Answer = tuple[bool, bool] | Exception


class FakeConnection:
    seen: int

    def __init__(self, answer: asyncio.Future[Answer]) -> None:
        self._answer = answer

    async def fetchrow(self, _statement: str) -> tuple[bool, bool]:
        answer = await self._answer
        if isinstance(answer, Exception):
            raise answer
        return answer

    def terminate(self) -> None:
        pass


class Servers:
    """In the place of asyncpg: every host takes connections. ``asked``: them in order, each with what it is to say."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, asyncio.Future[Answer]]] = []
        self._more = asyncio.Condition()

    @property
    def hosts(self) -> str:
        return "".join(host for host, _ in self.asked)

    async def connect(self, *, host: str, **_: object) -> FakeConnection:
        answer = asyncio.get_running_loop().create_future()
        async with self._more:
            self.asked.append((host, answer))
            self._more.notify_all()
        return FakeConnection(answer)

    async def answer(self, number: int, host: str, answer: Answer) -> None:
        """What the ``number``th connection is told, and which host it is to be at."""
        await self.are_asked(number + 1)
        assert self.asked[number][0] == host, self.hosts
        self.asked[number][1].set_result(answer)

    async def are_asked(self, times: int) -> None:
        async with asyncio.timeout(PATIENCE_S), self._more:
            await self._more.wait_for(lambda: len(self.asked) >= times)


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    servers = Servers()
    monkeypatch.setattr(asyncpg, "connect", here_alone(servers.connect, asyncpg.connect))
    monkeypatch.setattr(connector_module, "HOST_TIMEOUT_S", PATIENCE_S)
    return servers


def connecting(connector: Connector) -> asyncio.Task[CheckedConnection]:
    return asyncio.create_task(connector.connect({}))


async def test_who_has_no_time_left_at_a_silent_host_leaves_the_next_one_to_whoever_comes(servers: Servers) -> None:
    """The reads' deadline and the heads' are as short as the time of one host or two: all would end at the first."""
    connector = Connector(URL)
    short = connecting(connector)
    await servers.are_asked(1)
    short.cancel()
    with pytest.raises(asyncio.CancelledError):
        await short
    long = connecting(connector)
    await servers.answer(1, "b", PRIMARY)
    await long
    assert servers.hosts == "ab"


async def test_a_silent_host_has_2_s_where_others_are_named(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector_module, "HOST_TIMEOUT_S", 0.05)
    with pytest.raises(TimeoutError, match=r"no answer from b:5432 within 0\.05 s"):
        await Connector(f"{URL}?connect_timeout=60").connect({})
    assert servers.hosts == "ab"


async def test_who_connects_at_the_same_time_as_others_asks_every_host(servers: Servers) -> None:
    connector = Connector(URL)
    one, other = connecting(connector), connecting(connector)
    await servers.answer(0, "a", OSError("gone"))
    await servers.answer(2, "b", PRIMARY)
    await one
    await servers.answer(1, "a", OSError("gone"))
    await servers.answer(3, "b", PRIMARY)
    await other


@pytest.mark.parametrize(
    "away",
    [
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.CannotConnectNowError("the database system is starting up"),
    ],
    ids=lambda away: type(away).__name__,
)
async def test_a_host_that_ends_the_connection_is_passed_over(servers: Servers, away: Exception) -> None:
    connected = connecting(Connector(URL))
    await servers.answer(0, "a", away)
    await servers.answer(1, "b", PRIMARY)
    await connected


async def test_a_wrong_password_ends_the_search(servers: Servers) -> None:
    connected = connecting(Connector(URL))
    await servers.answer(0, "a", asyncpg.InvalidPasswordError("no"))
    with pytest.raises(asyncpg.InvalidPasswordError):
        await connected


@pytest.mark.parametrize("mode", ["disable", "prefer"])
async def test_a_front_that_takes_connections_and_closes_them_is_passed_over(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """As a proxy does whose server is gone."""
    monkeypatch.setattr(connector_module, "HOST_TIMEOUT_S", PATIENCE_S)

    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with (
        await asyncio.start_server(close, "127.0.0.1", 0) as front,
        proxy_to_socket(postgres.socket) as good,
    ):
        closing = f"127.0.0.1:{front.sockets[0].getsockname()[1]}"
        url = postgres.proxied_url(good.port, "postgres").replace("@", f"@{closing},")
        connection = await Connector(f"{url}?sslmode={mode}").connect({})
        await connection.close()


# --- doubts


async def test_a_connection_that_was_asked_before_a_doubt_is_not_newer_than_it(servers: Servers) -> None:
    connector = Connector(URL)
    connected = connecting(connector)
    await servers.are_asked(1)
    connector.doubt(connector.doubts)
    await servers.answer(0, "a", PRIMARY)
    assert (await connected).seen < connector.doubts


async def test_the_connection_that_finds_another_primary_doubts_those_before_and_not_itself(servers: Servers) -> None:
    connector = Connector(URL)
    before, found = connecting(connector), connecting(connector)
    await servers.answer(0, "a", PRIMARY)
    await servers.answer(1, "a", OSError("gone"))
    await servers.answer(2, "b", PRIMARY)
    assert (await found).seen == connector.doubts
    assert (await before).seen < connector.doubts


async def test_connections_to_a_primary_that_tells_a_new_one_that_it_is_none_are_doubted(servers: Servers) -> None:
    """Nobody else may ever ask them: the heads have lost theirs, and get no other."""
    connector = Connector("postgresql://user@a/database")
    before, after = connecting(connector), connecting(connector)
    await servers.answer(0, "a", PRIMARY)
    await servers.answer(1, "a", FENCED)
    with pytest.raises(NoPrimary, match=READ_ONLY):
        await after
    assert (await before).seen < connector.doubts


def test_connections_that_fail_together_are_one_doubt() -> None:
    connector = Connector(URL)
    for _ in range(3):
        connector.doubt(0)
    assert connector.doubts == 1


class Doubting(Connector):
    """A doubt comes while each of the first ``times`` connections is opened."""

    times = 0
    opened = 0

    async def connect(self, settings: Mapping[str, str], command_timeout_s: float | None = None) -> CheckedConnection:
        connection = await super().connect(settings, command_timeout_s)
        self.opened += 1
        if self.opened <= self.times:
            self.doubt(connection.seen)
        return connection


async def test_a_connection_that_was_doubted_while_it_was_opened_is_replaced_before_use(
    postgres: PostgresServer,
) -> None:
    doubting = Doubting(postgres.url("postgres"))
    doubting.times = 1
    engine = create_engine(doubting, 1, SERVER_SETTINGS)
    try:
        async with engine.connect():
            assert doubting.opened == 2
    finally:
        await engine.dispose()


async def test_a_primary_that_changes_again_and_again_is_an_outage_and_no_defect(postgres: PostgresServer) -> None:
    doubting = Doubting(postgres.url("postgres"))
    doubting.times = 2
    engine = create_engine(doubting, 1, SERVER_SETTINGS)
    try:
        with pytest.raises(ConnectionError, match="changed once more"):
            async with engine.connect():
                pass
        async with engine.connect():
            assert doubting.opened == 3
    finally:
        await engine.dispose()
