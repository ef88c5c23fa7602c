"""docs/how-to/javascript.md, from its first block to its last, with the packed client in a project of its own."""

from pathlib import Path

import pytest

from cli.access import SCOPES
from tests.docs.following import Follower
from tests.docs.running import Reader
from tests.harness.node import NODE, NPM
from tests.harness.source import ROOT
from tests.harness.system import ResidentSystem

pytestmark = pytest.mark.usefixtures("processes")

PAGE = ROOT / "docs" / "how-to" / "javascript.md"


async def test_the_page_works_from_its_own_lines_alone(system: ResidentSystem, tmp_path: Path) -> None:
    await system.start(hubs=1)
    reader = Reader.of_system(tmp_path, system, await system.key("up", *SCOPES))
    (reader.folder / "client-sdk").symlink_to(ROOT / "client-sdk")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "node").symlink_to(NODE)
    (programs / "npm").write_text(f'#!/bin/sh\nexec {" ".join(NPM)} "$@"\n')
    (programs / "npm").chmod(0o755)
    reader.variables["PATH"] = f"{programs}:{reader.variables['PATH']}"
    await Follower(reader, PAGE).follow()
