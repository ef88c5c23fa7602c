"""What is kept is what pytest takes: it rewrites nothing then, and a file that was changed since is rewritten."""

from pathlib import Path

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from tests.harness.rewritten import keep, kept

SOURCE = "def test_it():\n    assert [1] == []\n"


def imported(file: Path, config: pytest.Config) -> object:
    """By pytest's own importer."""
    hook = AssertionRewritingHook(config)
    found = hook.find_spec(file.stem, [str(file.parent)])
    assert found, file
    module = type(pytest)(file.stem)
    module.__spec__ = found
    hook.exec_module(module)
    return module.test_it


def test_pytest_takes_what_was_kept_as_long_as_the_source_is_the_same(
    tmp_path: Path, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "test_one.py"
    file.write_text(SOURCE)
    keep(file)
    before = kept(file).read_bytes()
    kept(file).write_bytes(before.replace(b"test_it", b"test_up"))
    with pytest.raises(AttributeError):
        imported(file, pytestconfig)
    file.write_text(SOURCE + "\n")
    assert imported(file, pytestconfig)
    keep(file)
    assert kept(file).read_bytes() != before
