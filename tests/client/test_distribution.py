"""The client as a package: what is in it, and that it works where nothing else is installed."""

import asyncio
import importlib.metadata
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.client.blocking import open_till
from tests.harness.processes import clean_environment
from tests.harness.source import ROOT
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

PROJECT = ROOT / "client-sdk" / "python"
SITE_PACKAGES = Path(sysconfig.get_paths()["purelib"])
NEEDED = {"httpx", "orjson", "websockets"}
PROGRAM = """
import asyncio, sys
from importlib.util import find_spec
from stockwire import AsyncClient, Client, LevelChanged, Snapshot

for name in ("starlette", "typer", "rich", "msgspec", "pytest", "wire", "server", "ledger", "hub", "console", "cli"):
    assert find_spec(name) is None, f"{name} can be imported"
name = sys.argv[1]

with Client() as client, client.subscribe(name) as subscription:
    for event in subscription:
        if isinstance(event, Snapshot):
            client.stock.sell(name, name)
        elif isinstance(event, LevelChanged):
            print("blocking", event.level.available)
            break

async def main():
    async with AsyncClient() as client, client.subscribe(name) as subscription:
        async for event in subscription:
            if isinstance(event, Snapshot):
                await client.stock.sell(name, name)
            elif isinstance(event, LevelChanged):
                print("async", event.level.available)
                break

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist, built without a network."""
    folder = tmp_path_factory.mktemp("built")
    completed(sys.executable, "-m", "hatchling", "build", "--directory", str(folder), cwd=PROJECT)
    return folder


def test_the_wheel_has_the_package_its_types_and_its_licence_and_nothing_else(built: Path) -> None:
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        names = set(wheel.namelist())
        (metadata,) = (wheel.read(name).decode() for name in names if name.endswith("/METADATA"))
    sources = {str(source.relative_to(PROJECT / "src")) for source in sources_of_the_package()}
    assert {name for name in names if ".dist-info/" not in name} == sources
    assert "stockwire/py.typed" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert (PROJECT / "README.md").read_text().strip() in metadata
    required = re.findall(r"^Requires-Dist: ([\w-]+)(?!.*extra ==)", metadata, re.MULTILINE)
    assert set(required) == NEEDED


def test_the_sdist_has_the_tests_and_the_papers(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "PKG-INFO"} <= names
    assert {f"tests/{path.name}" for path in (PROJECT / "tests").glob("*.py")} <= names
    assert {str(source.relative_to(PROJECT)) for source in sources_of_the_package()} <= names


def test_the_licence_is_that_of_the_whole() -> None:
    assert (PROJECT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_where_only_the_client_is_installed_it_sells_and_watches(
    built: Path, tmp_path: Path, shared_system: System, unique_name: str
) -> None:
    open_till(shared_system, unique_name).client.close()
    programs = only_the_client(built, tmp_path / "venv")
    key = asyncio.run(shared_system.admin_key())
    settings = {"STOCKWIRE_URL": shared_system.ledger_url, "STOCKWIRE_API_KEY": key}
    done = completed(str(programs / "python"), "-I", "-c", PROGRAM, unique_name, cwd=tmp_path, settings=settings)
    assert done.stdout.splitlines() == ["blocking 999", "async 998"]
    command = subprocess.run(
        [programs / "stockwire", "--help"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=clean_environment({}),
    )
    assert command.returncode == 78
    assert command.stderr == "stockwire: the command line needs typer and rich: pip install 'stockwire[cli]'\n"


def only_the_client(built: Path, folder: Path) -> Path:
    """The programs of a new environment with the wheel, and with copies of what it declares to need, no more."""
    venv.create(folder, with_pip=False, symlinks=True)
    programs = folder / "bin"
    (wheel,) = built.glob("*.whl")
    outside = str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")
    pip = (outside, "-m", "pip", "--isolated", "--disable-pip-version-check", "--python", str(programs / "python"))
    completed(*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel), cwd=folder)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    for name in closure(NEEDED):
        copy(importlib.metadata.distribution(name), site_packages)
    return programs


def closure(names: set[str]) -> set[str]:
    """``names`` and all that they need here, without their extras."""
    found: set[str] = set()
    pending = set(names)
    while pending:
        name = pending.pop()
        found.add(name)
        for requirement in importlib.metadata.requires(name) or ():
            needed = re.match(r"[\w.-]+", requirement)
            assert needed
            if "extra ==" not in requirement and installed(needed[0]):
                pending |= {needed[0]} - found
    return found


def installed(name: str) -> bool:
    """What a marker excludes on this Python is not."""
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def copy(distribution: importlib.metadata.Distribution, to: Path) -> None:
    for file in distribution.files or ():
        source = SITE_PACKAGES / file
        if ".." not in file.parts and "__pycache__" not in file.parts and source.is_file():
            (to / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, to / file)


def sources_of_the_package() -> list[Path]:
    return [path for path in (PROJECT / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def completed(
    *command: str, cwd: Path, settings: Mapping[str, object] | None = None
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        cwd=cwd,
        env=clean_environment(settings or {}),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done
