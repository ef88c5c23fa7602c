"""What tests do to a broker, whichever it is: start, kill, pause, start again on the same data and port."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from tests.harness.children import die_with_parent
from tests.harness.processes import clean_environment
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S, wait_until

HOST = "127.0.0.1"
PROBE_S = 2.0
READY_S = 10 * PATIENCE_S
"""RabbitMQ and Kafka take 5 s of a processor to start, of one that many may share: beside thirty it took more than
three minutes."""
POLL_S = 0.05
LAST_LINES = 20


class Broker(ABC):
    """As a context manager: started, and at the end stopped and its folder removed.

    It ends with the thread that launched it, however that ends: launch none from a thread that ends before the test.
    ``stop`` and ``kill`` are safe if it was never started, and twice.
    """

    name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        """``folder``: of this broker alone; its path short and without blanks."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.log = folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process, f"{self.name} was never started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @abstractmethod
    def command(self) -> list[str]: ...

    @abstractmethod
    def answers(self) -> bool:
        """Whether clients are served now. One probe of at most 2 s or so; OSError is a no."""

    def environment(self) -> dict[str, str]:
        return clean_environment({})

    def prepare(self) -> None:  # noqa: B027  # some need nothing
        """Makes what a first start needs. Idempotent."""

    def launch(self) -> None:
        """Start without waiting; ``await_ready`` comes next."""
        assert not self.running, f"{self.name} runs already"
        self.prepare()
        self._process = self._spawn(self.command())

    def start(self) -> None:
        """Returns when it answers; blocks. Raises AssertionError with the end of its log."""
        self.launch()
        deadline = time.monotonic() + READY_S
        while not self._is_up():
            assert time.monotonic() < deadline, f"{self.name} is not ready within {READY_S} s:\n{self.last_words()}"
            time.sleep(POLL_S)

    async def await_ready(self) -> None:
        """Raises AssertionError with the end of its log."""
        try:
            await wait_until(lambda: asyncio.to_thread(self._is_up), READY_S, what=f"{self.name} answers")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.last_words()}") from None

    async def restart(self) -> None:
        """Stop or bury the old one, and start again on its data and its port."""
        await asyncio.to_thread(self.stop)
        self.launch()
        await self.await_ready()

    def kill(self) -> None:
        """SIGKILL, as a fault."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: its sockets stay open and nothing comes through."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """SIGTERM, and wait. Raises AssertionError, after a SIGKILL, if it does not end in time."""
        if self._process is None or not self.running:
            return
        self.resume()
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end:\n{self.last_words()}") from None
        finally:
            self.kill()

    def close(self) -> None:
        """For good: its data goes too."""
        try:
            self.kill()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LAST_LINES:]) or "nothing in its log"

    def _is_up(self) -> bool:
        assert self.running, f"{self.name} has ended:\n{self.last_words()}"
        try:
            return self.answers()
        except OSError:
            return False

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as out:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.folder,
                env=self.environment(),
                preexec_fn=die_with_parent(signal.SIGKILL),
            )


def first_bytes(port: int, sent: bytes = b"") -> bytes:
    """What who listens there says to ``sent``. Raises OSError."""
    with socket.create_connection((HOST, port), PROBE_S) as connection:
        connection.sendall(sent)
        return connection.recv(4_096)
