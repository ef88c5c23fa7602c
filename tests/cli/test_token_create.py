"""`stockwire token create`: whose ledger mints it."""

from pathlib import Path

import pytest

from cli import keys
from tests.cli.test_flash_sale import folder
from tests.harness.system import System


async def test_the_folder_that_was_named_wins_over_that_of_the_environment(
    tmp_path: Path, shared_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = await folder(tmp_path, shared_system)
    monkeypatch.setenv("STOCKWIRE_DATA", str(tmp_path / "elsewhere"))
    minted = await keys.mint(data, ["stock:read:*"], ttl_s=60)
    assert minted["token"]
