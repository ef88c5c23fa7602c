"""The command's own manners: what it says when it cannot work."""

import subprocess
import sys

import pytest

from stockwire.cli import main

WITHOUT_EXTRA = "import sys; sys.modules['typer'] = None; from stockwire.cli import main; main()"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=30, check=False)


def test_without_the_extra_it_says_the_fix_in_one_line() -> None:
    done = run("-c", WITHOUT_EXTRA)
    assert done.returncode == 78
    assert done.stderr == "stockwire: the command line needs typer: pip install 'stockwire[cli]'\n"


def test_the_client_needs_neither_the_extra_nor_any_server() -> None:
    done = run("-c", "import sys, stockwire; print(*sorted({name.split('.')[0] for name in sys.modules}))")
    assert done.returncode == 0, done.stderr
    assert not {"typer", "msgspec", "jwt", "wire", "ledger", "hub", "cli"} & set(done.stdout.split())


def test_a_wrong_verb_is_usage() -> None:
    done = run("-c", "from stockwire.cli import main; main()", "sel")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_ctrl_c_before_the_commands_are_loaded_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stockwire.cli.find_spec", interrupted)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")
