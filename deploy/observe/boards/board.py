"""What all dashboards have in common: where their numbers come from, how one gets from one to the other."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders.dashboard import AdHocVariable, Dashboard, DashboardLink, DatasourceVariable, Row
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from deploy.observe.boards.panels import DATASOURCE, Panel

TAG = "stockwire"
REFRESH = "5s"
RANGE = "now-30m"


def board(name: str, words: str, rows: Mapping[str, Sequence[Panel]]) -> model.Dashboard:
    """``rows``: by their headings. Ids are given in order: the same script writes the same bytes."""
    made = (
        Dashboard(f"Stockwire: {name}")
        .uid(f"stockwire-{name.lower().replace(' ', '-')}")
        .description(words)
        .tags([TAG])
        .time(RANGE, "now")
        .refresh(REFRESH)
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        # of several systems that one Prometheus reads: Grafana puts these labels into every query
        .with_variable(AdHocVariable("only").label("Only").datasource(DATASOURCE))
        .link(
            DashboardLink("Stockwire")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(False)
            .include_vars(True)
            .keep_time(True)
        )
    )
    number = 0
    for heading, panels in rows.items():
        number += 1
        made = made.with_row(Row(heading).id(number))
        for panel in panels:
            number += 1
            made = made.with_panel(panel.id(number))
    return made.build()
