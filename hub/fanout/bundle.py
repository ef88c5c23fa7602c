"""Levels that changed together for one audience: their frames are joined once for all of it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub.fanout.frames import Framed, framed, state_payload
from hub.fanout.session import PART_LEVELS
from hub.stock.held import Area, Watched, Watcher
from wire.trace import Trace

Traces = Mapping[tuple[str, str], Trace]
"""Of changes that are traced, by location and sku: nearly always empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """At most ``PART_LEVELS`` levels with a state. The same ``watchers`` have each of them by name, and the same
    complete ``areas`` hold it."""

    levels: list[Watched]
    watchers: dict[Watcher, int]
    areas: list[Area[Any]]
    frames: Framed


def bundled(dirty: Iterable[Watched], areas_of: Callable[[Watched], list[Area[Any]]], traces: Traces) -> list[Bundle]:
    """In the order of their seqs, without those that nobody might watch."""
    found: list[tuple[list[Watched], list[Area[Any]]]] = []
    for level in sorted(dirty, key=lambda level: level.seq):
        areas = areas_of(level)
        if not level.watchers and not areas:
            continue
        if found and _fits(level, areas, *found[-1]):
            found[-1][0].append(level)
        else:
            found.append(([level], areas))
    return [Bundle(levels, levels[0].watchers, areas, _frames(levels, traces)) for levels, areas in found]


def joined(frames: Iterable[Framed]) -> Framed:
    websocket, event_stream = zip(*frames, strict=True)
    return b"".join(websocket), b"".join(event_stream)


def _fits(level: Watched, areas: list[Area[Any]], levels: list[Watched], their_areas: list[Area[Any]]) -> bool:
    """Equal dicts of watchers cost a hundredth of writing to these, and others differ in their length or soon."""
    return len(levels) < PART_LEVELS and areas == their_areas and level.watchers == levels[0].watchers


def _frames(levels: Iterable[Watched], traces: Traces) -> Framed:
    if not traces:
        return joined([framed(state_payload(level.state)) for level in levels if level.state is not None])
    told = [(level.state, traces.get((level.location, level.sku))) for level in levels]
    return joined([framed(state_payload(state, trace)) for state, trace in told if state is not None])
