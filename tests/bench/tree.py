"""An earlier tree, whole, so that its processes and its own bench run beside ours on this Python's libraries."""

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.release_tree import Release, compiled
from tests.harness.releases import archive_of, commit_of


@contextmanager
def tree_of(name: str) -> Iterator[Release]:
    """``name``: a folder that holds one, a release by its number, or a commit of this repository."""
    if Path(name).is_dir():
        yield compiled(Release(name, Path(name).resolve()))
        return
    archive = archive_of(commit_of(name) or name)
    if not archive:
        raise SystemExit(f"{name} is neither a folder, nor a release or commit of this repository's history")
    with tempfile.TemporaryDirectory(prefix="bench-tree-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        yield compiled(Release(name, Path(folder).resolve()))
