"""Many runs in one test."""

from collections import Counter

from tests.harness.size import SIZE
from tests.simulation.faults import table, too_rare
from tests.simulation.weather import WEATHERS
from tests.simulation.world import simulate, small

SEEDS = SIZE.of(2_100)
"""Of all weathers together; each has every third."""
CHUNK = 140
"""Of one weather in one test: enough for even rare faults to fire as often as they must."""


def chunks(weather: str) -> list[range]:
    """The seeds of this weather, in parts for one test each."""
    first = [one.name for one in WEATHERS].index(weather)
    step = len(WEATHERS)
    return [range(start + first, start + CHUNK * step, step) for start in range(0, SEEDS, CHUNK * step)]


def run_all(seeds: range) -> None:
    """Every run must be right, and every fault must have fired often enough. Prints the totals."""
    counts: Counter[str] = Counter()
    with small():
        for seed in seeds:
            counts += simulate(seed).counts
    print(table(counts))
    assert too_rare(counts, len(seeds)) == {}
