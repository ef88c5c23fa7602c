"""``python -m tests.simulation --seed N [--steps S]``: one run, traced; with ``--seeds N``: many, and a table."""

import argparse
import time
from collections import Counter

from tests.simulation.faults import table
from tests.simulation.world import STEPS, simulate, small


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--seed", type=int, help="run this one, and print what happens")
    which.add_argument("--seeds", type=int, help="run so many, and print how often each fault fired")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"default {STEPS}")
    options = parser.parse_args()
    with small():
        if options.seed is not None:
            world = simulate(options.seed, options.steps, print)
            print(f"everything was right, {world.converged_s:g} s after the faults had ended")
        else:
            many(options.seeds, options.steps)


def many(seeds: int, steps: int) -> None:
    """Stops at the first that fails."""
    counts: Counter[str] = Counter()
    began_s, converged_s = time.process_time(), 0.0
    for seed in range(seeds):
        world = simulate(seed, steps)
        counts += world.counts
        converged_s = max(converged_s, world.converged_s)
    print(table(counts))
    print(f"{seeds} seeds of {steps} steps in {time.process_time() - began_s:.1f} s of processor time")
    print(f"everything was right at most {converged_s:g} s (virtual) after the faults had ended")


if __name__ == "__main__":
    main()
