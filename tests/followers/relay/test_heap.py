"""What this process keeps for itself of the memory that its threads free."""

import ctypes
import subprocess
import sys

import psutil
import pytest

from followers.relay.heap import ARENAS_MAX, give_back
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="this C library is not glibc")
BYTES, PIECES = 1_000, 30_000
"""Each larger than 512 bytes, below which Python has an allocator of its own."""
THREADS = """
import ctypes, threading
from followers.relay.heap import share_arenas

def allocate(together):
    mine = bytearray(1_000)
    together.wait()

{first}
together = threading.Barrier(8)
threads = [threading.Thread(target=allocate, args=[together]) for _ in range(together.parties)]
for one in threads: one.start()
for one in threads: one.join()
ctypes.CDLL(None).malloc_stats()
"""
"""glibc tells of each arena then, on standard error."""


def kept() -> int:
    return int(psutil.Process().memory_info().rss)


def arenas(first: str) -> int:
    command = [sys.executable, "-c", THREADS.format(first=first)]
    ran = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True, timeout=PATIENCE_S)
    return ran.stderr.count("Arena ")


def test_what_lies_below_something_in_use_is_given_back() -> None:
    """Or a relay keeps what it once took to catch up."""
    pieces = [bytearray(BYTES) for _ in range(PIECES)]
    last = pieces[-1]
    del pieces
    before = kept()
    give_back()
    assert before - kept() > BYTES * PIECES / 2
    assert last


@pytest.mark.usefixtures("processes")
def test_threads_share_arenas() -> None:
    """Or each one that comes with a new client fills another one."""
    assert arenas("") > ARENAS_MAX, "it would not be seen"
    assert arenas("share_arenas()") <= ARENAS_MAX
