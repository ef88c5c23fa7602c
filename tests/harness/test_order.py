"""The longest files come first, and nothing is lost when campaigns alone are read."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.order import LONGEST
from tests.harness.processes import ROOT, clean_environment
from tests.harness.waiting import PATIENCE_S

LONG = LONGEST[1]
FILES = {
    "tests/a/test_short.py": "def test_short(): pass",
    LONG: 'import pytest\n@pytest.mark.usefixtures("campaign")\ndef test_long(): pass',
    "tests/b/test_campaign.py": 'import pytest\n@pytest.mark.usefixtures("campaign")\ndef test_other(): pass',
    "tests/c/test_broken.py": "raise RuntimeError('it was read')",
}


def collected(folder: Path, files: dict[str, str], *arguments: str) -> str:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    plugins = [argument for name in ("tiers", "order") for argument in ("-p", f"tests.harness.{name}")]
    plugins += ["-p", "no:cacheprovider", "--disable-plugin-autoload"]
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", *plugins, *arguments]
    done = subprocess.run(
        [*command, "--import-mode=importlib", f"--rootdir={folder}", str(folder)],
        cwd=ROOT,
        env=clean_environment({}),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.stdout + done.stderr


def test_each_of_the_longest_files_is_there() -> None:
    assert [file for file in LONGEST if not (ROOT / file).is_file()] == []


@pytest.mark.usefixtures("processes")
def test_long_files_come_first_and_the_others_stay_in_their_order(tmp_path: Path) -> None:
    said = collected(tmp_path, {name: text for name, text in FILES.items() if "broken" not in name})
    tests = [line.split("::")[1] for line in said.splitlines() if "::" in line]
    assert tests == ["test_long", "test_short", "test_other"], said


@pytest.mark.usefixtures("processes")
def test_whoever_wants_campaigns_reads_no_file_without_one(tmp_path: Path) -> None:
    said = collected(tmp_path, FILES, "-m", "campaign")
    assert "2 tests collected" in said, said
    assert "RuntimeError: it was read" in collected(tmp_path, FILES, "-m", "quick")


@pytest.mark.usefixtures("processes")
def test_a_campaign_that_would_not_be_found_ends_the_run(tmp_path: Path) -> None:
    said = collected(tmp_path, {LONG: "def test_long(campaign): pass"})
    assert 'holds a campaign and does not say "campaign"' in said, said
