"""A page in Chromium while stock changes as fast as on a launch: a drawing a frame, and no standstill.

The reference is what a page may do at most: one drawing in each frame, 50 ms in one piece, the memory that it had.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from tests.bench.main_thread import MainThread
from tests.bench.ratio import Row
from tests.browsers.browser import CHROMIUM, PROGRAMS, started
from tests.browsers.tab import Tab

CHANGES_PER_S = 5_000
FIRST_S, SETTLED_S, UNTIL_S = 1.0, 10.0, 60.0
"""Of the changes: from the first on tasks count; at the second the page has drawn everything, and what it holds then
it holds for good; the last ends it."""
CHANGES_SHARE_MIN = 0.5
"""With fewer than this share of the changes that were meant, the machine is too busy to measure anything."""
TASK_MS_MAX = 50.0
"""From here on a browser calls a task long, and tells of it: a shorter one counts as this."""
HEAP_FLAT = 1.1
"""What a garbage collection leaves differs by so much from one to the next."""
SWEEPS = 3
"""Some things go only when others have gone."""
RECORD = """() => {
  const kept = window.kept = {frames: 0, drawings: 0, most: 0, messages: 0, tasks: []};
  let drawn = 0;
  window.WebSocket = class extends WebSocket {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", () => kept.messages++);
    }
  };
  const frame = () => {
    kept.frames++;
    kept.drawings += drawn;
    kept.most = Math.max(kept.most, drawn);
    drawn = 0;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const changes = {subtree: true, childList: true, characterData: true, attributes: true};
  new MutationObserver(() => drawn++).observe(document, changes);
  new PerformanceObserver(list => {
    for (const {startTime, duration} of list.getEntries()) kept.tasks.push([startTime, duration]);
  }).observe({type: "longtask"});
}"""
"""It asks for the next frame before any script of the page does: what is drawn from one to the next is of one frame."""
RESTART = "void Object.assign(window.kept, {frames: 0, drawings: 0, most: 0, messages: 0, tasks: []})"
KEPT = "({...window.kept, origin_ms: performance.timeOrigin})"

Count = Callable[[], Awaitable[float]]
"""How much has changed so far."""


class Task(NamedTuple):
    """Of ``wall_ms`` by the clock it was on a core for ``cpu_ms``: the rest it waited for one."""

    cpu_ms: float
    wall_ms: float


@dataclass(frozen=True, slots=True)
class Seen:
    most_drawings: float
    tasks: list[Task]
    heap_begin_mb: float
    heap_end_mb: float
    per_s: dict[str, float]


def page_rows(page: str, drawn: str) -> list[Row]:
    """``drawn``: what the page shows, in words."""
    name = f"{page} at {CHANGES_PER_S:,} changes/s"
    return [
        Row(f"{name}, drawings", "", "lower", f"most drawings in a frame of Chromium: {drawn}", "one", target=1.0),
        Row(
            f"{name}, longest task",
            "ms",
            "lower",
            "after the first second, CPU of the page's main thread",
            f"{TASK_MS_MAX:.0f} ms, the bound: whatever is shorter counts as this",
            target=1.0,
        ),
        Row(
            f"{name}, longest task by the clock",
            "ms",
            "lower",
            "the same with what it waited for a core",
            f"{TASK_MS_MAX:.0f} ms, the bound: whatever is shorter counts as this",
        ),
        Row(f"{name}, heap", "MB", "lower", "after a minute, swept", "after 10 s, swept", target=HEAP_FLAT),
    ]


def add(rows: list[Row], seen: Seen) -> None:
    drawings, longest, by_clock, heap = rows
    cpu_ms, wall_ms = (max((0.0, *times)) for times in zip(*seen.tasks, strict=True)) if seen.tasks else (0.0, 0.0)
    for row, ours, bare in (
        (drawings, seen.most_drawings, 1.0),
        (longest, max(cpu_ms, TASK_MS_MAX), TASK_MS_MAX),
        (by_clock, max(wall_ms, TASK_MS_MAX), TASK_MS_MAX),
        (heap, seen.heap_end_mb, seen.heap_begin_mb),
    ):
        row.ours.append(ours)
        row.bare.append(bare)
    drawings.notes |= {f"{name}/s": f"{figure:,.0f}" for name, figure in seen.per_s.items()}
    longest.notes["CPU of those that the browser calls long"] = f"at most {cpu_ms:.0f} ms" if seen.tasks else "none"
    by_clock.notes["long"] = f"{len(seen.tasks)} in a minute"


def missing() -> str:
    """What it would take to measure this here."""
    absent = [program for program in PROGRAMS[CHROMIUM] if shutil.which(program) is None]
    return f"needs {' and '.join(absent)}" if absent else ""


@asynccontextmanager
async def recorded_tab() -> AsyncIterator[Tab]:
    """Of a browser of its own."""
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        started(CHROMIUM, Path(folder)) as browser,
    ):
        tab = Tab(browser, browser.bidi.asked("browsingContext.create", {"type": "tab"})["context"])
        await tab.before_each_page(RECORD)
        yield tab


async def watch(tab: Tab, count: Count) -> Seen:
    """A page that is live, for a minute from now on; whoever asks has begun to change stock."""
    began_s = time.monotonic()
    await asyncio.sleep(FIRST_S)
    with ExitStack() as stack:
        threads = [stack.enter_context(MainThread(pid)) for pid in _renderers()]
        await tab.evaluate(RESTART)
        await _until(began_s + SETTLED_S)
        early = await tab.evaluate(KEPT)
        heap_begin_mb = await _heap_mb(tab)
        await tab.evaluate(RESTART)
        from_s, changes = time.monotonic(), await count()
        await _until(began_s + UNTIL_S)
        late = await tab.evaluate(KEPT)
        took_s, changes = time.monotonic() - from_s, await count() - changes
    assert changes > CHANGES_SHARE_MIN * CHANGES_PER_S * took_s, f"only {changes / took_s:,.0f} changes/s came about"
    thread = max(threads, key=lambda one: one.whole_ms)  # the page's: nothing else of a browser has as much to do
    return Seen(
        max(early["most"], late["most"]),
        [_task(thread, late["origin_ms"], *task) for task in early["tasks"] + late["tasks"]],
        heap_begin_mb,
        await _heap_mb(tab),
        {
            "changes": changes / took_s,
            "messages": late["messages"] / took_s,
            "drawings": late["drawings"] / took_s,
            "frames": late["frames"] / took_s,
        },
    )


async def _until(at_s: float) -> None:
    await asyncio.sleep(max(0.0, at_s - time.monotonic()))


def _task(thread: MainThread, origin_ms: float, start_ms: float, duration_ms: float) -> Task:
    began_s = (origin_ms + start_ms) / 1_000
    return Task(thread.cpu_ms(began_s, began_s + duration_ms / 1_000), duration_ms)


def _renderers() -> list[int]:
    """Processes of the browser that have a page each; which has which it does not say."""
    children = psutil.Process().children(recursive=True)
    return [child.pid for child in children if "--type=renderer" in child.cmdline()]


async def _heap_mb(tab: Tab) -> float:
    for _ in range(SWEEPS):
        await tab.cdp("HeapProfiler.collectGarbage")
    usage: dict[str, Any] = await tab.cdp("Runtime.getHeapUsage")
    return float(usage["usedSize"]) / 1e6
