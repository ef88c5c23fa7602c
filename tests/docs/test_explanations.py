"""The tests that the explanations cite as proof exist, and the figures are those of the code."""

import ast
import re
from pathlib import Path

import pytest

from hub.limits import Limits
from hub.stock.shards import FRESH_S
from ledger.commit.contention import LOCKED_BATCHES
from tests.docs.pages import code_in, text_of
from tests.harness.source import ROOT

PAGES = sorted((ROOT / "docs" / "explanation").glob("*.md"))
CONFLATION = ROOT / "docs" / "explanation" / "conflation.md"
CITED = re.compile(r"([\w/.-]+\.py)::(\w+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_every_test_cited_exists(page: Path) -> None:
    cited = [(path, name) for code in code_in(page) for path, name in CITED.findall(code)]
    assert cited
    assert [(path, name) for path, name in cited if name not in functions_in(ROOT / path)] == []


def functions_in(path: Path) -> set[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_figures_are_those_of_the_code() -> None:
    limits = Limits()
    said = {
        "consistency.md": f"hears nothing for {FRESH_S:g} s",
        "conflation.md": f"its limit ({limits.write_bytes_max // 1024} KiB)",
        "why-no-oversell.md": "until eight batches in a row",
    }
    assert LOCKED_BATCHES == 8
    for name, phrase in said.items():
        assert phrase in " ".join(text_of(ROOT / "docs" / "explanation" / name).split()), name
    assert f"for {limits.stall_s:g} s is closed with 4101" in " ".join(text_of(CONFLATION).split())
