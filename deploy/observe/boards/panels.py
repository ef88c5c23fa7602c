"""Panels as all dashboards have them: a title, a unit, words that say what is good, and queries."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.builders.heatmap import HeatmapColorOptions, YAxisConfig
from grafana_foundation_sdk.builders.heatmap import Panel as Heatmap
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as StateTimeline
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.observe.boards.queries import WINDOW, Query

Panel = Stat | Timeseries | Table | StateTimeline | Heatmap
Limits = Mapping[float, str]
"""Colours from a value upwards; green below all of them, or what the value of ``-inf`` has."""

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
ON_CALL = "docs/how-to/on-call.md"
"""Has a section for each alert."""
ALARMING: Limits = {1: "red"}
"""Of what must be 0."""
NUMBER_WIDTH, NUMBER_HEIGHT = 4, 4
WIDTH, HEIGHT = 8, 8
"""Of 24 columns."""


def number(
    title: str, unit: str, expr: str, words: str, limits: Limits | None = None, *, alert: str | None = None
) -> Stat:
    """The newest value, large, in the colour of its limit."""
    return (
        Stat()
        .title(title)
        .description(_described(words, alert))
        .datasource(DATASOURCE)
        .span(NUMBER_WIDTH)
        .height(NUMBER_HEIGHT)
        .unit(unit)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(BigValueGraphMode.AREA)
        .color_mode(BigValueColorMode.NONE if limits is None else BigValueColorMode.BACKGROUND)
        .thresholds(_thresholds(limits or {}))
        .no_value("no data")
        .with_target(_target("A", Query(expr)))
    )


def lines(
    title: str,
    unit: str,
    queries: Sequence[Query],
    words: str,
    *,
    limits: Limits | None = None,
    stacked: bool = False,
    alert: str | None = None,
) -> Timeseries:
    """Over time, from 0 on. ``limits`` are drawn as lines."""
    drawn = GraphThresholdsStyleMode.OFF if limits is None else GraphThresholdsStyleMode.DASHED
    panel = (
        Timeseries()
        .title(title)
        .description(_described(words, alert))
        .datasource(DATASOURCE)
        .span(WIDTH)
        .height(HEIGHT)
        .unit(unit)
        .min(0)
        .line_width(1)
        .fill_opacity(30 if stacked else 0)
        .show_points(VisibilityMode.NEVER)
        .stacking(StackingConfig().mode(StackingMode.NORMAL if stacked else StackingMode.NONE))
        .thresholds(_thresholds(limits or {}))
        .thresholds_style(GraphThresholdsStyleConfig().mode(drawn))
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(_legend())
    )
    for letter, query in zip("ABCDEFGH", queries, strict=False):
        panel = panel.with_target(_target(letter, query))
    return panel


def states(title: str, query: Query, words: str, *, one: str, zero: str, alert: str | None = None) -> StateTimeline:
    """Of gauges that are 1 while all is well: a bar each, with what the values mean."""
    meaning = {"1": ValueMappingResult(text=one, color="green"), "0": ValueMappingResult(text=zero, color="red")}
    return (
        StateTimeline()
        .title(title)
        .description(_described(words, alert))
        .datasource(DATASOURCE)
        .span(WIDTH)
        .height(HEIGHT)
        .unit("none")
        .mappings([ValueMap(options=meaning)])
        .thresholds(_thresholds({float("-inf"): "red", 1: "green"}))
        .show_value(VisibilityMode.NEVER)
        .merge_values(True)
        .legend(_legend())
        .with_target(_target("A", query))
    )


def heat(title: str, histogram: str, words: str) -> Heatmap:
    """How the seconds of a histogram are spread, over time."""
    expr = f"sum by (le) (rate({histogram}_bucket[{WINDOW}]))"
    return (
        Heatmap()
        .title(title)
        .description(words)
        .datasource(DATASOURCE)
        .span(WIDTH)
        .height(HEIGHT)
        .unit("s")
        .calculate(False)
        .y_axis(YAxisConfig().unit("s"))
        .color(HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Oranges"))
        .with_target(_target("A", Query(expr, "{{le}}")).format(PromQueryFormat.HEATMAP))
    )


def table(title: str, columns: Mapping[str, tuple[str, str]], words: str) -> Table:
    """A row for each combination of labels that all queries have. ``columns``: unit and query of each, by its head;
    the first is what the rows are sorted by, the largest on top."""
    letters = dict(zip("ABCDEFGH", columns, strict=False))
    heads = {f"Value #{letter}": head for letter, head in letters.items()}
    if len(columns) == 1:
        heads["Value"] = next(iter(columns))  # as Grafana names the only one
    panel = (
        Table()
        .title(title)
        .description(words)
        .datasource(DATASOURCE)
        .span(WIDTH)
        .height(HEIGHT)
        .unit("short")
        .with_transformation(DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(
            DataTransformerConfig(id_val="organize", options={"excludeByName": {"Time": True}, "renameByName": heads})
        )
        .with_transformation(
            DataTransformerConfig(id_val="sortBy", options={"sort": [{"field": next(iter(columns)), "desc": True}]})
        )
    )
    for letter, head in letters.items():
        unit, expr = columns[head]
        panel = panel.with_target(_target(letter, Query(expr)).format(PromQueryFormat.TABLE).instant())
        panel = panel.override_by_name(head, [DynamicConfigValue(id_val="unit", value=unit)])
    return panel


def _target(letter: str, query: Query) -> Dataquery:
    """Of buckets also the exemplars: points with the id of a trace that was as slow."""
    target = Dataquery().ref_id(letter).datasource(DATASOURCE).expr(query.expr).legend_format(query.legend).range()
    return target.exemplar(True) if "_bucket" in query.expr else target


def _described(words: str, alert: str | None) -> str:
    return words if alert is None else f"{words} What to do: {ON_CALL}#{alert.lower()}"


def _thresholds(limits: Limits) -> ThresholdsConfig:
    above = {float("-inf"): "green", **limits}
    steps = [Threshold(value=None if value == float("-inf") else value, color=above[value]) for value in sorted(above)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _legend() -> VizLegendOptions:
    return VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)
