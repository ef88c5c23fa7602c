"""The releases that meet here: from before any, the one before, this one, and one after it that brings a migration."""

import re
import shutil
from pathlib import Path

from tests.harness.release_tree import PARTS, Release, compiled, past_release, require_history, this_release
from tests.harness.releases import commit_of, version_before

SCHEMA_0001 = "6d556d4~"
"""The last commit whose newest migration is 0001."""
SCHEMA_0002 = "4446527"
"""The last commit whose newest is 0002."""
OVERLAY = Path(__file__).with_name("next_schema.py")


def release_before(folder: Path) -> Release:
    version = version_before()
    require_history()
    commit = commit_of(version)
    assert commit is not None, f"no commit has brought the heading of {version} into the changelog"
    return past_release(commit, version, folder)


def next_release(folder: Path) -> Release:
    """This one with a migration more, under the next version, which needs what that expands."""
    ours = this_release()
    for part in PARTS.values():
        shutil.copytree(ours.tree / part, folder / part)
    number = f"{int(ours.schema) + 1:04}"
    shutil.copy(OVERLAY, folder / "ledger" / "migrations" / "versions" / f"{number}_writers.py")
    major, minor, *_ = (ours.version or "").split(".")
    release = f"{major}.{int(minor) + 1}"
    version, schema = folder / "server" / "version.py", folder / "ledger" / "migrations" / "schema.py"
    _replace(version, r'^VERSION = ".+"$', f'VERSION = "{release}.0"')
    _replace(version, r"^RELEASES = \((.+?),?\)$", rf'RELEASES = (\1, "{release}")')
    _replace(schema, r'^NEEDS = ".+"$', f'NEEDS = "{number}"')
    _replace(schema, r'^BORNE = ".+"$', f'BORNE = "{ours.schema}"')
    return compiled(Release("the next", folder))


def _replace(file: Path, pattern: str, by: str) -> None:
    text, count = re.subn(pattern, by, file.read_text(), flags=re.MULTILINE)
    assert count == 1, f"{file.name} has no line like {pattern}"
    file.write_text(text)
