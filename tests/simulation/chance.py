"""What the product draws from ``random`` in this thread, from a seed: its jitter repeats with the run.

Ledgers and hubs that tests of this process share go on in threads of their own, and draw as they always did: what
they took from a generator that both share would be missing here, and no run would repeat.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from tests.harness.own_thread import here_alone

DRAWN = ("choice", "randint", "random", "randrange", "sample", "uniform")
"""What the product takes from the module. ``test_chance`` looks for others."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    ours = random.Random(seed)
    with ExitStack() as patched:
        for name in DRAWN:
            patched.enter_context(patch.object(random, name, here_alone(getattr(ours, name), getattr(random, name))))
        yield
