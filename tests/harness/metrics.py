"""What a process of ours says of itself on its admin port, and what the reference says of that."""

import re
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.harness.servers import Server
from tests.harness.source import REFERENCE, code_names, rows, section
from tests.harness.waiting import PATIENCE_S, wait_until


async def metric_of(process: Server, name: str) -> float:
    """``name`` as it is now, without labels or with those that are exported. Raises httpx.TransportError."""
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        exported = (await client.get(f"{process.admin}/metrics")).text
    return next(float(line.split()[-1]) for line in exported.splitlines() if line.startswith(f"{name} "))


async def await_metric(process: Server, name: str, value: float) -> None:
    """``name`` with its labels as they are exported. Raises AssertionError with everything exported."""
    text = ""
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:

        async def found() -> bool:
            nonlocal text
            text = (await client.get(f"{process.admin}/metrics")).text
            return f"{name} {value:.1f}" in text.splitlines()

        try:
            await wait_until(found, PATIENCE_S, what=f"{name} {value}", swallow=httpx.TransportError)
        except AssertionError:
            raise AssertionError(f"not {name} {value} in:\n{text}") from None


async def await_applied(hub: Server, level: dict[str, Any]) -> None:
    """Until the hub has the event of ``level``, which has to be the last one of its shard."""
    await await_metric(hub, f'stockwire_hub_applied_seq{{shard="{level["shard"]}"}}', level["seq"])


OF_SLOTS = "stockwire_ledger_slot_"
Described = dict[str, tuple[str, set[str], str]]
"""By name: type, labels and help text, as a row of the page has them."""


def described_metrics(title: str) -> Described:
    """Of the section ``title`` of docs/reference/metrics.md."""
    text = section((REFERENCE / "metrics.md").read_text(), title)
    return {
        code_names(row[0])[0]: (row[1], set(code_names(row[2])), _plain_text(row[3])) for row in rows(text, "Metric")
    }


def exported_metrics(text: str) -> Described:
    """Of a page of metrics: our own."""
    return {
        family.name + ("_total" if family.type == "counter" else ""): (family.type, _labels(family), _help(family))
        for family in text_string_to_metric_families(text)
        if family.name.startswith("stockwire_") and not family.name.endswith("_created")
    }


def _labels(family: Any) -> set[str]:
    """Every labelled metric is there from the start, so that its first rise is one; but a database may have no slots,
    and one that no logical replication may read has none (tests/deploy/test_debezium.py)."""
    if not family.samples and family.name.startswith(OF_SLOTS):
        return {"slot"}
    return {name for sample in family.samples for name in sample.labels} - {"le"}


def _help(family: Any) -> str:
    """As a cell of the page begins and ends: without a capital and a full stop."""
    text: str = family.documentation
    assert text.endswith("."), f"{family.name} is not explained: {text!r}"
    return text[0].lower() + text[1:-1]


def _plain_text(cell: str) -> str:
    """Without links and code marks."""
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", cell).replace("`", "")
