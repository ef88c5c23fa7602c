"""The console's pages as files: light, of known origin, and right where no browser is needed to tell."""

import gzip
import json

import pytest

from tests.harness.node import TOOLS, need_tools, run_node
from tests.harness.source import ROOT

PAGES = ROOT / "console" / "pages"
LOADED = {".html", ".js", ".mjs", ".css", ".svg"}
MODULES = ROOT / "tests" / "console" / "modules"
WEIGHT_KB_MAX = 120
"""All that a browser loads, packed by gzip, in thousands of bytes."""
TEST_MS = 60_000


def test_the_pages_weigh_no_more_than_they_may() -> None:
    files = [path for path in PAGES.rglob("*") if path.suffix in LOADED and ".d." not in path.name]
    weights = {path.relative_to(PAGES).as_posix(): len(gzip.compress(path.read_bytes(), 9)) for path in files}
    assert "index.html" in weights
    assert sum(weights.values()) <= WEIGHT_KB_MAX * 1_000, sorted(weights.items(), key=lambda item: -item[1])[:10]


def test_everything_that_a_page_names_is_there() -> None:
    """A style sheet that is not there is an empty page, and no error."""
    index = (PAGES / "index.html").read_text()
    named = [part.split('"')[0] for part in index.replace('src="', 'href="').split('href="')[1:]]
    assert named
    assert [name for name in named if not (PAGES / name.lstrip("/")).is_file()] == []
    styles = {f"/style/{path.name}" for path in (PAGES / "style").glob("*.css")}
    assert styles <= set(named)


def test_vendored_files_are_those_of_the_released_packages_and_carry_their_licences() -> None:
    versions = json.loads((PAGES / "vendor" / "versions.json").read_text())
    notice = (PAGES / "vendor" / "NOTICE").read_text()
    vendored = {path.relative_to(PAGES / "vendor").as_posix() for path in (PAGES / "vendor").glob("*/*")}
    types = {name for name in vendored if ".d." in name}
    assert vendored - types == {f"{package}/{name}" for package, one in versions.items() for name in one["files"]}
    assert all(f"{package}/LICENSE" in vendored for package in versions)
    assert all(one["license"] in notice for one in versions.values())
    need_tools()
    for package, one in versions.items():
        assert json.loads((TOOLS / package / "package.json").read_text())["version"] == one["version"]
        for name, released in one["files"].items():
            here, there = PAGES / "vendor" / package / name, TOOLS / package / released
            assert here.read_bytes() == there.read_bytes(), f"{package}/{name}"


@pytest.mark.usefixtures("processes")
def test_what_decides_on_the_pages_decides_right() -> None:
    files = sorted(MODULES.glob("*.test.js"))
    assert files, "none was found: has the folder moved?"
    run_node("--test", f"--test-timeout={TEST_MS}", "--test-reporter=spec", *files, cwd=ROOT)
