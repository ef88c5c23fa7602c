"""The command's own manners: what it says when it cannot work."""

import subprocess
import sys
from pathlib import Path

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
    done = run(
        "-c", "import sys; from stockwire import *; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
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


def test_ctrl_c_while_the_package_is_being_imported_is_quiet(tmp_path: Path) -> None:
    (tmp_path / "stockwire.py").write_text(
        "import os, signal; os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(9)"
    )
    program = f"import stockwire_command, sys; sys.path.insert(0, {str(tmp_path)!r}); stockwire_command.main()"
    done = run("-c", program)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_a_command_that_goes_on_for_days_has_its_garbage_collected(tmp_path: Path) -> None:
    (tmp_path / "stockwire.py").write_text(
        "import gc\nloading = gc.isenabled()\nclass cli:\n    load = staticmethod(lambda: None)\n"
        "    main = staticmethod(lambda: print(loading, gc.isenabled()))"
    )
    program = f"import stockwire_command, sys; sys.path.insert(0, {str(tmp_path)!r}); stockwire_command.main()"
    done = run("-c", program)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["False", "True"], "")


@pytest.mark.parametrize(
    ("shell", "begins"),
    [("bash", "_stockwire"), ("zsh", "#compdef stockwire"), ("fish", "complete --command stockwire")],
)
def test_the_shells_completion_can_be_shown(shell: str, begins: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which shell it is, is told by the parent processes, and those of a test are whatever started it."""
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    program = "import sys; sys.argv[0] = 'stockwire'; from stockwire.cli import main; main()"
    done = run("-c", program, "--show-completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(begins)
    assert "_STOCKWIRE_COMPLETE" in done.stdout
