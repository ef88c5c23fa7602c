"""What cannot work is refused before anything starts: one clear line with the fix, exit status 78."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import stockwire_command
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

Refused = Callable[..., str]
PROGRAM = Path(sys.executable).with_name("stockwire")


def refused(folder: Path, *arguments: str, **variables: str) -> str:
    """The one line."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STOCKWIRE_")}
    done = subprocess.run(
        [PROGRAM, *arguments],
        env={**environment, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return line_of(done.returncode, done.stdout, done.stderr)


def line_of(status: object, out: str, err: str) -> str:
    assert status == 78, (out, err)
    lines = err.splitlines()
    assert len(lines) == 1, err
    assert lines[0].startswith("stockwire: ")
    assert out == ""
    return lines[0]


@pytest.fixture
def refused_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Refused:
    """As ``refused``, without a process of its own: starting one takes a second, and there are many cases."""

    def run(*arguments: str, **variables: str) -> str:
        for name in os.environ:
            if name.startswith("STOCKWIRE_"):
                monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(PROGRAM), *arguments])
        with pytest.raises(SystemExit) as ended:
            stockwire_command.main()
        return line_of(ended.value.code, *capsys.readouterr())

    return run


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(tmp_path, "up", "--port", str(min(port, 65000)))
        assert f"port {port}" in line
        assert "--port" in line


def test_a_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    line = refused(tmp_path, "up", "--data", str(tmp_path), "--reset", "--port", "0")
    assert "left alone" in line
    assert "--data" in line
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "variables", "says"),
    [
        (["--port", "http"], {}, "--port http is no whole number"),
        (["--port", "80"], {}, "choose 1024 to"),
        (["--hubs", "0"], {}, "choose 1 to"),
        (["--hubs", "two"], {}, "--hubs two"),
        (["--replay", "fast"], {}, "--replay fast"),
        (["--replay", "nan"], {}, "--replay nan"),
        (["--replay", "-1"], {}, "choose 0 to"),
        ([], {"STOCKWIRE_DATABASE_URL": "mysql://x"}, "STOCKWIRE_DATABASE_URL must begin with postgresql://"),
        ([], {"STOCKWIRE_TYPO": "1"}, "STOCKWIRE_TYPO is not a setting"),
        ([], {"STOCKWIRE_REDIS_URL": "amqp://x"}, "STOCKWIRE_REDIS_URL must begin with redis://"),
        (
            [],
            {"STOCKWIRE_DATABASE_URL_FILE": "/nonexistent"},
            "STOCKWIRE_DATABASE_URL_FILE=/nonexistent cannot be read",
        ),
        (
            [],
            {"STOCKWIRE_REDIS_URL": "redis://x", "STOCKWIRE_REDIS_URL_FILE": "/x"},
            "STOCKWIRE_REDIS_URL and STOCKWIRE_REDIS_URL_FILE are both set: unset one of them",
        ),
    ],
)
def test_nonsense_settings(
    tmp_path: Path, refused_here: Refused, arguments: list[str], variables: dict[str, str], says: str
) -> None:
    assert says in refused_here("up", *arguments, **variables)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["doctor", "migrate", "key list", "token create --scope feed", "top --once"])
def test_a_misspelt_setting_is_refused_and_not_ignored(refused_here: Refused, command: str) -> None:
    line = refused_here(*command.split(), STOCKWIRE_DATABASE_ULR="postgresql:///x")
    assert "STOCKWIRE_DATABASE_ULR is not a setting: unset it, or set STOCKWIRE_DATABASE_URL" in line


def test_top_without_a_system_says_how_to_name_one(tmp_path: Path) -> None:
    assert "STOCKWIRE_ADMIN_URLS" in refused(tmp_path, "top")


@pytest.mark.parametrize("command", [["doctor"], ["migrate"], ["key", "list"], ["key", "revoke", "abc"]])
def test_a_command_without_a_system_says_how_to_name_one(refused_here: Refused, command: list[str]) -> None:
    assert "STOCKWIRE_DATABASE_URL" in refused_here(*command)


def test_a_reader_that_has_gone_ends_top_without_a_word(tmp_path: Path) -> None:
    """As `stockwire top --json | head -1` does. A broken pipe was told as a database that cannot be used."""
    gone, ours = os.pipe()
    os.close(gone)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STOCKWIRE_")}
    with os.fdopen(ours, "wb") as pipe:
        done = subprocess.run(
            [PROGRAM, "top", "--json", "--admin", "http://127.0.0.1:1"],
            env=environment,
            cwd=tmp_path,
            stdout=pipe,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")


def test_a_platform_without_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli import wheels
    from server.settings.environment import SettingsError

    monkeypatch.setattr(wheels, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="set STOCKWIRE_DATABASE_URL"):
        wheels.postgres_programs()
    with pytest.raises(SettingsError, match="set STOCKWIRE_REDIS_URL"):
        wheels.valkey_program()


@pytest.mark.parametrize("module", ["ledger", "hub"])
def test_a_server_is_that_of_its_installation_and_not_what_lies_in_the_folder(module: str, tmp_path: Path) -> None:
    """As in the clone of another version."""
    (tmp_path / module).mkdir()
    (tmp_path / module / "__init__.py").touch()
    (tmp_path / module / "__main__.py").write_text("print('another one')")
    assert "STOCKWIRE_" in refused(tmp_path, module)
