"""Tests as pytest rewrites them, kept for the workers to come.

    python -m tests.harness.rewritten

Where Python may not write bytecode pytest keeps nothing either: each worker would rewrite every `assert` for itself,
eight seconds of a processor. What is kept is good for the same source alone, whatever its date.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, cast

from _pytest.assertion.rewrite import PYC_TAIL, _read_pyc, _rewrite_test, _write_pyc, get_cache_dir

from tests.harness.source import TESTS

AT_ONCE = 8
"""Files that a process is handed together."""


def is_rewritten(file: Path) -> bool:
    return file.name == "conftest.py" or file.name.startswith("test_")


def kept(file: Path) -> Path:
    """Where pytest looks for it."""
    return get_cache_dir(file) / (file.stem + PYC_TAIL)


def keep(file: Path) -> None:
    if _read_pyc(file, kept(file)) is None:
        source_hash, code = _rewrite_test(file, cast(Any, None))  # its settings: none of ours differs from the default
        kept(file).parent.mkdir(exist_ok=True)
        _write_pyc(cast(Any, None), code, source_hash, kept(file))


def main() -> int:
    with ProcessPoolExecutor() as processes:
        list(processes.map(keep, filter(is_rewritten, TESTS), chunksize=AT_ONCE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
