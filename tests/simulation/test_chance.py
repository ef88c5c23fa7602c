"""A seed repeats its run whatever else this process does."""

import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import hub
from tests.simulation.chance import DRAWN, seeded
from tests.simulation.world import simulate, small


def test_a_seed_repeats_its_run_to_the_letter_while_a_server_in_another_thread_draws() -> None:
    def trace(seed: int) -> list[str]:
        lines: list[str] = []
        simulate(seed, say=lines.append)
        return lines

    with small():
        for seed in range(3):
            alone = trace(seed)
            with another_thread_draws():
                assert trace(seed) == alone


def test_another_thread_draws_from_its_own_generator() -> None:
    with seeded(1):
        expected = [random.random() for _ in range(3)]
    with another_thread_draws(), seeded(1):
        assert [random.random() for _ in range(3)] == expected


def test_nothing_else_of_random_is_used_in_a_hub() -> None:
    sources = [file.read_text() for file in Path(hub.__file__).parent.rglob("*.py")]
    used = {name for text in sources for name in re.findall(r"\brandom\.(\w+)", text)}
    assert used
    assert used <= {*DRAWN}


@contextmanager
def another_thread_draws() -> Iterator[None]:
    over, drawn = threading.Event(), threading.Event()

    def draw() -> None:
        while not over.is_set():
            random.uniform(0, 1)
            random.random()
            drawn.set()

    thread = threading.Thread(target=draw, name="draws")
    thread.start()
    try:
        assert drawn.wait(60)
        yield
    finally:
        over.set()
        thread.join()
