"""A folder is ours or it is left alone; one system at a time."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.data_folder import DataFolder
from server.settings.environment import SettingsError
from tests.harness.waiting import PATIENCE_S


def test_a_foreign_folder_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    for reset in (False, True):
        with pytest.raises(SettingsError, match="left alone"):
            DataFolder(tmp_path).claim(reset=reset)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("")
    with pytest.raises(SettingsError, match="is a file"):
        DataFolder(tmp_path / "x").claim(reset=True)


def test_reset_empties_our_folder_and_nothing_behind_its_links(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("x")
    folder = DataFolder(tmp_path / "ours")
    folder.claim(reset=False)
    (folder.path / "postgres").mkdir()
    (folder.path / "postgres" / "PG_VERSION").write_text("18")
    (folder.path / "link").symlink_to(elsewhere)
    folder.release()
    folder.claim(reset=True)
    assert sorted(path.name for path in folder.path.iterdir()) == ["lock", "stockwire.folder"]
    assert (elsewhere / "precious").exists()
    folder.release()


def test_a_second_system_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    first, second = DataFolder(tmp_path / "d"), DataFolder(tmp_path / "d")
    first.claim(reset=False)
    with pytest.raises(SettingsError, match=f"already running .* \\(pid {os.getpid()}\\)"):
        second.claim(reset=True)
    first.release()
    second.claim(reset=False)
    second.release()


@pytest.mark.usefixtures("processes")
def test_a_lock_whose_holder_was_killed_is_taken(tmp_path: Path) -> None:
    program = (
        "import sys, os, signal; from pathlib import Path; from cli.data_folder import DataFolder;"
        "DataFolder(Path(sys.argv[1])).claim(reset=False); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "d")], check=False, timeout=PATIENCE_S)
    folder = DataFolder(tmp_path / "d")
    folder.claim(reset=False)
    folder.release()


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "d")
    folder.claim(reset=False)
    folder.write_run({"ready": True})
    folder.write_environment({"STOCKWIRE_DATABASE_URL": "postgresql://u:p@/x?host=/a"})
    secret = folder.keep_secret("token.secret")
    for path in folder.path.iterdir():
        if path.name != "stockwire.folder":
            assert path.stat().st_mode & 0o777 == 0o600, path
    assert folder.path.stat().st_mode & 0o066 == 0
    assert len(secret) >= 32
    assert folder.secret("token.secret") == secret
    assert json.loads(folder.run_file.read_text()) == {"ready": True}
    assert folder.environment() == {"STOCKWIRE_DATABASE_URL": "postgresql://u:p@/x?host=/a"}
    folder.release()
    assert not folder.run_file.exists()
