"""What the product draws from ``random`` in this thread, from a seed: its jitter repeats with the run.

Ledgers and hubs that tests of this process share go on in threads of their own, and draw as they always did: what
they took from a generator that both share would be missing here, and no run would repeat.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from threading import get_ident
from typing import Any
from unittest.mock import patch

DRAWN = ("choice", "randint", "random", "randrange", "uniform")
"""What the product takes from the module. ``test_chance`` looks for others."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    here, ours = get_ident(), random.Random(seed)

    def by_thread(theirs: Callable[..., Any], seeded: Callable[..., Any]) -> Callable[..., Any]:
        def draw(*bounds: Any) -> Any:
            return seeded(*bounds) if get_ident() == here else theirs(*bounds)

        return draw

    with ExitStack() as patched:
        for name in DRAWN:
            patched.enter_context(patch.object(random, name, by_thread(getattr(random, name), getattr(ours, name))))
        yield
