"""Which version this is stands in several places; the version before comes from the repository's own history."""

import re
import tomllib

import stockwire
from ledger.migrations.revisions import revisions
from ledger.migrations.schema import BORNE
from server.version import RELEASES, VERSION, release_of
from tests.harness import releases
from tests.harness.releases import CHANGELOG, CLIENT_CHANGELOG, file_of, files_of, headings, released
from tests.harness.source import ROOT

DEVELOPED = re.compile(r"(\d+\.\d+\.0)\.dev0\Z")
"""What is between two releases is on the way to the next minor one."""
RELEASED = re.compile(r"\d+\.\d+\.\d+\Z")
DATE = re.compile(r"20\d\d-\d\d-\d\d\Z")


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:3])


def test_the_version_is_the_same_wherever_it_stands() -> None:
    for project in (ROOT / "pyproject.toml", ROOT / "client-sdk" / "python" / "pyproject.toml"):
        assert tomllib.loads(project.read_text())["project"]["version"] == VERSION, project
    assert stockwire.__version__ == VERSION


def test_the_changelogs_name_the_same_releases_newest_first_with_their_dates() -> None:
    ours = headings(CHANGELOG)
    assert headings(CLIENT_CHANGELOG) == ours
    assert not [date for version, date in ours.items() if version != "Unreleased" and not DATE.match(date)]
    assert [numbers(version) for version in released()] == sorted(map(numbers, released()), reverse=True)


def test_a_tree_is_a_release_or_on_the_way_to_the_next_one() -> None:
    first = next(iter(headings(CHANGELOG)))
    if RELEASED.match(VERSION):
        assert first == VERSION, "a release has its heading in the changelog, and nothing unreleased"
    else:
        on_the_way = DEVELOPED.match(VERSION)
        assert on_the_way, VERSION
        assert first == "Unreleased"
        assert numbers(on_the_way[1]) > numbers(released()[0])


def test_the_releases_that_doctor_knows_are_those_of_the_changelog_and_this_one() -> None:
    known = dict.fromkeys(release_of(version) for version in [*reversed(released()), VERSION])
    assert tuple(known) == RELEASES


def test_every_migration_says_in_which_release_it_came() -> None:
    known = {*released(), VERSION.partition(".dev")[0]}
    assert not [(one.number, one.since) for one in revisions() if one.since not in known]


def test_the_version_before_can_be_fetched_and_says_that_it_is_that_version(version_before: str) -> None:
    version = releases.version_before()
    assert f'\nVERSION = "{version}"\n' in file_of(version_before, "server/version.py")
    for project in ("pyproject.toml", "client-sdk/python/pyproject.toml"):
        assert f'\nversion = "{version}"\n' in file_of(version_before, project)
    assert f'\n__version__ = "{version}"\n' in file_of(version_before, "client-sdk/python/src/stockwire/__init__.py")


def test_what_is_borne_is_the_schema_of_the_version_before(version_before: str) -> None:
    migrations = [name for name in files_of(version_before, "ledger/migrations/versions") if name[0].isdigit()]
    assert max(migrations).partition("_")[0] == BORNE
