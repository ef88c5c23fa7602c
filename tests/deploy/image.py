"""What the image holds and how it runs its commands, without an engine: a virtual environment as the Dockerfile has it.

The same wheels of our own, built from what COPY takes and nothing else; the same packages, without those that the
Dockerfile removes; root's files, run by the numeric user.
"""

import contextlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.deploy.dockerfile import copy_context, environment, health_command, only, removed_packages
from tests.harness.children import SESSION_ID, SESSION_VARIABLE
from tests.harness.processes import ServerProcess
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
PROGRAM = """#!{python}
import sys
from {module} import {function}
sys.exit({function}())
"""


class Image:
    """``tree``: what is at /opt/stockwire. ``user``: the image's, if we are root and others may run Python."""

    def __init__(self, tree: Path, volume: Path) -> None:
        self.tree = tree
        self.volume = volume
        may_change = os.geteuid() == 0 and others_may_run_it()
        self.user = int(only("USER").split(":")[0]) if may_change else None
        if self.user is not None:
            os.chown(volume, self.user, self.user)

    def process(self, name: str, folder: Path, settings: dict[str, object], *arguments: str) -> ServerProcess:
        """As ``docker run stockwire ARGUMENTS``; not started yet."""
        return ServerProcess(
            name,
            self._variables(settings),
            folder,
            list(arguments),
            program=str(self.tree / "bin" / "stockwire"),
            cwd=Path("/"),
            user=self.user,
        )

    def run(self, settings: dict[str, object], *arguments: str) -> "subprocess.CompletedProcess[str]":
        """As ``process``, to its end."""
        return self._finished([str(self.tree / "bin" / "stockwire"), *arguments], self._variables(settings))

    def is_healthy(self, process: ServerProcess) -> bool:
        """What HEALTHCHECK says, in the environment of ``process``."""
        command = health_command()
        program = shutil.which(command[0], path=process.environment["PATH"])
        assert program, command
        done = self._finished([program, *command[1:]], process.environment)
        assert done.returncode in (0, 1), done.stderr
        return done.returncode == 0

    def files(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of every file."""
        found = {}
        for path in self.tree.rglob("*"):
            status = path.lstat()
            found[str(path.relative_to(self.tree))] = (status.st_size, status.st_mtime_ns)
        return found

    def _variables(self, settings: dict[str, object]) -> dict[str, str]:
        """Nothing of this machine's: a container inherits no environment."""
        image = environment(self.tree)
        path = image["PATH"].replace("$PATH", "/usr/bin:/bin")
        given = {name: str(value) for name, value in settings.items()}
        return {**image, "PATH": path, "HOME": "/", SESSION_VARIABLE: SESSION_ID, **given}

    def _finished(self, command: list[str], variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd="/",
            env=variables,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


def build_image(folder: Path) -> Image:
    """In ``folder``, which everybody must be able to enter."""
    context, tree, volume = folder / "context", folder / "tree", folder / "volume"
    copy_context(context)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tree], check=True, timeout=PATIENCE_S)
    for project in (context, context / "client-sdk" / "python"):
        _install_own(project, tree)
    for name in kept_packages():
        _link_package(name, tree / SITE)
    volume.mkdir(mode=0o700)
    return Image(tree, volume)


def others_may_run_it() -> bool:
    """Whether the interpreter under this virtual environment is not root's alone, as one in /root would be."""
    return all(folder.stat().st_mode & 0o001 for folder in Path(os.path.realpath(sys.executable)).parents)


def kept_packages() -> list[str]:
    """Of requirements.txt, as far as it is for this machine."""
    locked = re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    return [name for name in locked if name not in removed_packages() and _is_installed(name)]


def _is_installed(name: str) -> bool:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        importlib.metadata.distribution(name)
        return True
    return False


def _install_own(project: Path, tree: Path) -> None:
    """As pip does with a pure wheel."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "wheel"]
    subprocess.run(build, cwd=project, check=True, capture_output=True, timeout=PATIENCE_S)
    (wheel,) = (project / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tree / SITE)
    (found,) = importlib.metadata.distributions(path=[str(wheel)])
    for entry in found.entry_points.select(group="console_scripts"):
        program = tree / "bin" / entry.name
        program.write_text(PROGRAM.format(python=tree / "bin" / "python", module=entry.module, function=entry.attr))
        program.chmod(0o755)


def _link_package(name: str, site: Path) -> None:
    """Its files, and what was compiled of them: a process that may not write would compile everything at each start."""
    distribution = importlib.metadata.distribution(name)
    for file in distribution.files or []:
        if ".." not in file.parts:
            for source, relative in _with_compiled(Path(str(distribution.locate_file(file))), Path(file)):
                (site / relative).parent.mkdir(parents=True, exist_ok=True)
                _link(source, site / relative)


def _with_compiled(source: Path, relative: Path) -> Iterator[tuple[Path, Path]]:
    yield source, relative
    compiled = f"__pycache__/{source.stem}.{sys.implementation.cache_tag}.pyc"
    if source.suffix == ".py" and (source.parent / compiled).exists():
        yield source.parent / compiled, relative.parent / compiled


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:  # another file system
        shutil.copy2(source, target)
