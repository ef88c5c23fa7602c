"""How often each kind of fault has to fire in a hundred runs: a run without them would prove nothing."""

from collections import Counter
from collections.abc import Mapping

LEAST_OF_100_SEEDS: Mapping[str, int] = {
    "commit": 5_000,
    "commit never published": 100,
    "batch lost": 400,
    "batch missed": 3_000,
    "batch doubled": 150,
    "batch late": 200,
    "batch overtaken": 100,
    "heartbeat lost": 100,
    "heartbeat missed": 1_000,
    "heartbeat doubled": 40,
    "heartbeat late": 80,
    "heartbeat overtaken": 30,
    "heartbeat while fallen": 80,
    "message garbled": 20,
    "broker vanished": 80,
    "broker mute": 80,
    "broker silent for too long": 10,
    "ledger away": 80,
    "ledger slow": 80,
    "ledger not reached": 300,
    "ledger read while fallen": 200,
    "query too large": 20,
    "page too large": 10,
    "page broken off": 10,
    "next page told early": 10,
    "restore, heads fell": 25,
    "new epoch of the same history": 15,
    "history dropped by a hub": 80,
    "hub vanished": 50,
    "hub silent for too long": 3,
    "level let go": 500,
    "position asked about": 1,
    "connection cut": 300,
    "connection cut at its beginning": 50,
    "cut in the middle of what was written": 50,
    "connection over its limit": 300,
    "change conflated": 1,
    "reader slow": 100,
    "reader stopped": 100,
    "client left for good": 50,
    "client moved": 100,
    "second subscription": 100,
    "brought a position": 200,
    "resumed": 100,
    "whole snapshot": 300,
    "told to be behind": 100,
}


def too_rare(counts: Counter[str], seeds: int) -> dict[str, int]:
    """The faults that fired less often than they must in so many runs, with how often they did."""
    return {name: counts[name] for name, least in LEAST_OF_100_SEEDS.items() if counts[name] < least * seeds / 100}


def table(counts: Counter[str]) -> str:
    return "\n".join(f"{counts[name]:>10,}  {name}" for name in LEAST_OF_100_SEEDS)
