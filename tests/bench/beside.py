"""As much processor used as whatever runs beside a ledger takes: what it costs the ledger to share its cores."""

import math
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BUSY = """
import json, sys, time
share, text = float(sys.argv[1]), json.dumps([{"sku": str(number), "version": number} for number in range(1_000)])
while True:
    began_s = time.perf_counter()
    json.loads(text)
    time.sleep((time.perf_counter() - began_s) * (1 - share) / share)
"""


@contextmanager
def busy(cores: float) -> Iterator[None]:
    """Processes that read JSON for so much of the time, and ask nobody for anything: what a ledger loses to whoever
    runs on the same cores, followed or not."""
    whole = max(1, math.ceil(cores))
    running = [subprocess.Popen([sys.executable, "-c", BUSY, str(cores / whole)]) for _ in range(whole)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()
