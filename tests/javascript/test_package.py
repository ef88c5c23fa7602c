"""The package as others get it: what is committed beside its source is made of it, and bundlers and types find it."""

from pathlib import Path

import pytest

from tests.harness.node import PACKAGE, need_tools, run_node
from tests.harness.source import ROOT

pytestmark = pytest.mark.usefixtures("processes")

BADGE = ROOT / "hub" / "reads" / "badge.js"


def files_in(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_declarations_and_badge_are_what_their_source_makes_and_no_part_is_too_large(tmp_path: Path) -> None:
    """Fails after a change of the source: `make javascript`, and commit what it made."""
    need_tools()
    run_node("scripts/build.mjs", "--to", tmp_path)
    made = files_in(tmp_path)
    committed = {f"types/{name}": text for name, text in files_in(PACKAGE / "types").items()}
    if BADGE.exists():
        committed["badge.js"] = BADGE.read_text()
    assert made == committed
