"""Grafana's dashboards are what their script writes, ask for what there is, and say what one sees."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.observe.boards.__main__ import FOLDER, dashboards, written
from tests.deploy.observe.rules import ON_CALL
from tests.deploy.promql import OF_PROMETHEUS, exported, labels_kept, metrics_in
from tests.docs.pages import anchors_of
from tests.harness.dashboards import asked, panels_of, queries_of

FILES = {path.name: path for path in sorted(FOLDER.glob("*.json"))}

by_file = pytest.mark.parametrize("name", FILES)


def board(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(FILES[name].read_text())
    return read


def queries() -> Iterator[tuple[str, str]]:
    for name in FILES:
        for query in queries_of(board(name)):
            yield f"{name}: {query.title}", query.expression


def test_what_is_committed_is_what_the_script_writes() -> None:
    assert {name: path.read_text() for name, path in FILES.items()} == {
        name: written(dashboard) for name, dashboard in dashboards().items()
    }, "run `make dashboards`"


@by_file
def test_grafanas_own_types_read_it_and_lose_nothing(name: str) -> None:
    register_default_plugins()
    content = board(name)
    assert list(lost(content, json.loads(written(Dashboard.from_json(content))))) == []


def lost(part: Any, whole: Any, where: str = "") -> Iterator[str]:
    """What is in ``part`` and not in ``whole``, which may have defaults besides."""
    if isinstance(part, dict) and isinstance(whole, dict):
        for name, value in part.items():
            yield from lost(value, whole.get(name), f"{where}/{name}")
    elif isinstance(part, list) and isinstance(whole, list) and len(part) == len(whole):
        for number, pair in enumerate(zip(part, whole, strict=True)):
            yield from lost(*pair, f"{where}/{number}")
    elif part != whole:
        yield f"{where}: {part!r} is {whole!r}"


@by_file
def test_a_panel_has_a_place_a_unit_words_and_the_chosen_prometheus(name: str) -> None:
    content, sections = board(name), anchors_of(ON_CALL)
    assert [variable["type"] for variable in content["templating"]["list"]] == ["datasource", "adhoc"]
    ids = [panel["id"] for panel in content["panels"]]
    assert ids == list(range(1, len(ids) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in panels_of(content):
        place = panel["gridPos"]
        columns, lines = (range(place[at], place[at] + place[size]) for at, size in (("x", "w"), ("y", "h")))
        cells = {(column, line) for column in columns for line in lines}
        assert not cells & taken, f"{panel['title']} lies on another"
        assert columns.stop <= 24
        taken |= cells
        words, _, section = panel["description"].partition(" What to do: docs/how-to/on-call.md#")
        assert words.endswith((".", "?")), panel["title"]
        assert not section or section in sections, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        sources = {panel["datasource"]["uid"], *(target["datasource"]["uid"] for target in panel["targets"])}
        assert sources == {"${datasource}"}, panel["title"]
    titles = [(panel["title"], panel["type"]) for panel in panels_of(content)]
    assert len(titles) == len(set(titles))


def test_every_query_is_promql_over_metrics_that_there_are() -> None:
    known = exported()
    wrong = [
        f"{where}: {sorted(unknown)}"
        for where, expression in queries()
        if (unknown := metrics_in(asked(expression)) - set(known))
    ]
    assert not wrong


def test_every_label_that_is_kept_or_shown_is_one_of_the_metrics() -> None:
    known, wrong = exported(), []
    for name in FILES:
        for query in queries_of(board(name)):
            expression = asked(query.expression)
            has = OF_PROMETHEUS.union(*(known.get(metric, set()) for metric in metrics_in(expression)))
            named = labels_kept(expression) | query.legend_labels
            wrong += [f"{name}: {query.title}: {label}" for label in sorted(named - has)]
    assert not wrong
