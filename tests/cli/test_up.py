"""`stockwire up`, whole: what it prints works, what dies comes back, what is killed leaves nothing."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from stockwire import AsyncClient, Snapshot
from stockwire.errors import Forbidden
from tests.cli.conftest import who_asks_last
from tests.cli.running import POLL_S, PROGRAM, RunningUp, gone
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

FIGURES = re.compile(
    r"^oversold (?P<oversold>[\d,]+) · (?P<changes>[\d,]+) changes/s · commit to client p50 (?P<p50>[\d.,]+) ms · "
    r"p99 (?P<p99>[\d.,]+) ms · clients (?P<clients>[\d,]+) · refused [\d,]+ · conflicts [\d,]+$",
    re.M,
)
CHANGES_PER_S_MIN = 5
LOOKS_MAX = 10
"""On a busy machine a sound round trip may be slow once, and not each time."""
SKU = "85123A"
GOOD_TRIP = "✓ round trip 127.0.0.1:"


def client_of(up: RunningUp) -> AsyncClient:
    return AsyncClient(up.run["ledger"], up.run["key"])


async def test_run_json_says_what_a_script_needs(up: RunningUp) -> None:
    run = up.run
    assert (up.data / "run.json").stat().st_mode & 0o777 == 0o600
    assert run["ready"] is True
    services = {"ledger", "hub-1", "hub-2", "channels"}
    assert {"up", "watchdog", "postgres", "valkey", *services} == set(run["pids"]) - {"console"}
    assert len(run["hubs"]) == 2
    assert all(hub.startswith("ws://") and hub.endswith("/v1/stream") for hub in run["hubs"])
    async with AsyncClient(run["ledger"], run["read_token"]) as reader:
        assert (await reader.stock.get(SKU, "shop")).version > 0
        with pytest.raises(Forbidden):
            await reader.stock.sell(SKU, "shop")
        async with reader.subscribe("shop") as subscription:
            async for event in subscription:
                if isinstance(event, Snapshot):
                    assert len(event.levels) > 2000
                    break


def test_webhooks_are_made_where_the_banner_says_as_soon_as_it_is_there(up: RunningUp) -> None:
    printed = up.printed_line("Channels   ")
    assert printed.startswith("Channels   http://127.0.0.1:")
    assert printed.endswith("  (webhooks: docs/how-to/webhooks.md)")
    assert up.output.index("Channels running") < up.output.index("Channels   http")
    listed = up.command("webhooks", "list")
    assert (listed.returncode, listed.stdout) == (0, ""), listed.stderr


async def test_the_figures_are_measured_and_the_sales_flow(up: RunningUp) -> None:
    async def found() -> re.Match[str] | None:
        lines = list(FIGURES.finditer(up.output))
        return lines[-1] if lines and flows(lines[-1]) else None

    def flows(line: re.Match[str]) -> bool:
        """Clients are counted once a second: the first lines may be from before the measuring one came."""
        return float(line["changes"].replace(",", "")) >= CHANGES_PER_S_MIN and int(line["clients"]) >= 1

    what = f"a line of figures with at least {CHANGES_PER_S_MIN} changes/s and a client"
    line = await wait_until(found, what=what)
    assert line is not None
    p50_ms, p99_ms = (float(shown.replace(",", "")) for shown in line.group("p50", "p99"))
    assert 0 < p50_ms <= p99_ms
    assert line["oversold"] == "0"


def test_the_printed_curl_sells_one_unit(up: RunningUp) -> None:
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    line = up.printed_line("curl ")
    for _ in range(2):  # a key of its own each time
        done = subprocess.run(
            ["bash", "-c", line + " -w '%{http_code}'"], capture_output=True, text=True, timeout=PATIENCE_S
        )
        assert done.stdout.endswith("201"), done.stdout + done.stderr
        assert '"on_hand_delta":-1' in done.stdout


def test_the_printed_watch_command_shows_levels(up: RunningUp) -> None:
    line = up.printed_line(" watch shop")
    variable, *command = shlex.split(line)
    name, _, value = variable.partition("=")
    with subprocess.Popen(command, env={**os.environ, name: value}, stdout=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        first = next(line for line in watching.stdout if b'"reconnecting"' not in line)
        assert b'"snapshot"' in first
        watching.terminate()


def test_a_second_up_on_the_same_folder_is_refused(up: RunningUp) -> None:
    second = up.command("up", "--data", str(up.data), "--port", "0")
    assert second.returncode == 78
    assert "already running" in second.stderr
    assert up.run["ready"] is True


@pytest.mark.parametrize("name", ["hub-1", "ledger", "valkey", "postgres"])
async def test_a_killed_child_is_back_on_its_address_and_run_json_follows(up: RunningUp, name: str) -> None:
    before = up.run
    os.kill(before["pids"][name], signal.SIGKILL)
    await up.replaced(before["pids"], name)
    assert {field: up.run[field] for field in ("ledger", "hubs", "key")} == {
        field: before[field] for field in ("ledger", "hubs", "key")
    }
    async with client_of(up) as client:
        await client.stock.receive(SKU, "shop", 1)
    async with httpx.AsyncClient() as http:
        for url in up.run["admin"].values():
            await wait_until(_ready(http, url), what=url, swallow=httpx.HTTPError)


def _ready(http: httpx.AsyncClient, url: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        return (await http.get(f"{url}/readyz")).status_code == httpx.codes.OK

    return ready


def await_place(up: RunningUp) -> str:
    """Where the replay stands, once it has begun."""
    deadline = time.monotonic() + 20
    while not (up.data / "replay.json").exists():
        assert time.monotonic() < deadline, up.output
        time.sleep(POLL_S)
    return (up.data / "replay.json").read_text()


def test_sigkill_leaves_nothing_and_the_next_start_goes_on(up: RunningUp) -> None:
    place = await_place(up)
    processes = up.processes()
    assert len(processes) > 8
    os.kill(up.pid, signal.SIGKILL)
    assert gone(processes[1:]) == []
    deadline = time.monotonic() + 5
    while (up.data / "run.json").exists():
        assert time.monotonic() < deadline, "run.json still says ready"
        time.sleep(POLL_S)
    up.stop()
    up.start()
    assert "Sample shop opened" not in up.output  # a warm start loads nothing again
    assert (up.data / "replay.json").read_text()[:20] == place[:20]


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="util-linux is not installed")
def test_sigkill_of_up_and_its_watchdog_at_once_leaves_nothing(up: RunningUp) -> None:
    processes, pids = up.processes(), up.run["pids"]
    sockets = socket_folder(pids["postgres"])
    os.kill(pids["up"], signal.SIGSTOP)  # or it opens another watchdog between the two
    for name in ("watchdog", "up"):
        os.kill(pids[name], signal.SIGKILL)
    assert gone(processes[1:]) == []
    up.stop()
    (up.data / "run.json").unlink()  # nobody was left to remove it
    assert sockets.exists()
    up.start()
    assert sockets == socket_folder(up.run["pids"]["postgres"]) or not sockets.exists(), "a temporary one goes"


def socket_folder(postgres: int) -> Path:
    words = psutil.Process(postgres).cmdline()
    return Path(next(word.partition("=")[2] for word in words if word.startswith("unix_socket_directories=")))


class OpenPage:
    """As browsers keep it: one asks for token after token, one waits, one is in the middle of a purchase."""

    def __init__(self, address: str) -> None:
        self._place = urlsplit(address)
        self._head = f"Host: {self._place.netloc}\r\nOrigin: http://{self._place.netloc}\r\n"
        self._closing = threading.Event()
        self._asking = threading.Thread(target=self._ask)
        self._open: list[socket.socket] = []
        self.answers = 0

    def __enter__(self) -> "OpenPage":
        waiting, buying = self._connect(), self._connect()
        waiting.sendall(f"GET / HTTP/1.1\r\n{self._head}\r\n".encode())
        assert waiting.recv(15) == b"HTTP/1.1 200 OK"
        json_head = "Content-Type: application/json\r\nContent-Length: 99"
        buying.sendall(f"POST /buy HTTP/1.1\r\n{self._head}{json_head}\r\n\r\n{{".encode())
        self._asking.start()
        deadline = time.monotonic() + 20
        while not self.answers:
            assert time.monotonic() < deadline
            time.sleep(POLL_S)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._asking.join()
        for one in self._open:
            one.close()

    def _connect(self) -> socket.socket:
        self._open.append(
            socket.create_connection((str(self._place.hostname), self._place.port or 0), timeout=PATIENCE_S)
        )
        return self._open[-1]

    def _ask(self) -> None:
        with httpx.Client(headers={"Origin": f"http://{self._place.netloc}"}) as http:
            while not self._closing.is_set():
                try:
                    self.answers += http.post(f"{self._place.geturl()}/session", json={}).is_success
                except httpx.HTTPError:
                    time.sleep(POLL_S)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_is_orderly_and_one_line_also_with_the_page_open(up: RunningUp, number: signal.Signals) -> None:
    processes = up.processes()
    with OpenPage(up.run["page"]):
        up.printed_line("Ctrl-C stops everything.")
        printed = len(up.output)
        assert up.stop(number) == 0, up.output
    assert [line for line in up.output[printed:].splitlines() if not line.startswith("oversold ")] == ["Stopped."]
    assert gone(processes) == []
    assert not (up.data / "run.json").exists()
    assert "database system is shut down" in (up.data / "postgres.log").read_text()[-500:]
    up.start()


def test_doctor_finds_nothing_wrong(up: RunningUp) -> None:
    for _ in range(LOOKS_MAX):
        done = up.command("doctor", "--audit")
        failed = [line for line in done.stdout.splitlines() if line.startswith("✗ ")]
        if done.stdout.count(GOOD_TRIP) == 2 or not all(line.startswith("✗ round trip ") for line in failed):
            break
    assert done.returncode == 0, done.stdout + done.stderr
    for check in ("database", "migrations", "broker", "ledger", "hub-1", "hub-2", "hub key", "origins", "audit"):
        assert f"✓ {check}: " in done.stdout
    assert done.stdout.count(GOOD_TRIP) == 2
    pasted = [line for line in done.stdout.splitlines() if "<script" in line]  # whole, or it could not be
    assert len(pasted) == 1
    assert max(len(line) for line in done.stdout.splitlines() if line not in pasted) <= 80


async def test_keys_and_tokens_from_the_command_line(up: RunningUp) -> None:
    made = up.command("key", "create", "till-7", "--scope", "stock:read:shop", "--name", "front desk")
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    key_id = key.split("_")[1]
    async with AsyncClient(up.run["ledger"], key) as client:
        await client.stock.get(SKU, "shop")
    listed = up.command("key", "list").stdout
    assert any(key_id in line and "till-7 (front desk)" in line for line in listed.splitlines())
    assert key not in listed
    token = up.command("token", "create", "--scope", "stock:read:shop", "--ttl", "60").stdout.strip()
    async with AsyncClient(up.run["ledger"], token) as client:
        await client.stock.get(SKU, "shop")
    assert up.command("key", "revoke", key_id).stdout == f"Revoked {key_id}.\n"
    again = up.command("key", "revoke", "aaaaaaaaaaaa")
    assert (again.returncode, "there is no key" in again.stderr) == (1, True)
    bad = up.command("key", "create", "x", "--scope", "everything")
    assert (bad.returncode, bad.stderr.count("\n")) == (1, 1)


def test_nobody_who_does_without_the_running_up_has_it_wait(request: pytest.FixtureRequest) -> None:
    here = [item for item in request.session.items if item.path.parent == Path(__file__).parent]
    assert here == who_asks_last(here)


def test_the_program_is_the_one_beside_this_python() -> None:
    assert PROGRAM.exists()
