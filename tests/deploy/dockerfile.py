"""Reading the Dockerfile and the .dockerignore, and taking what they take."""

import json
import re
import shutil
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

from tests.harness.source import ROOT

DOCKERFILE = ROOT / "Dockerfile"
TREE = "/opt/stockwire"
"""The folder that the run stage takes from the build stage."""


@dataclass(frozen=True, slots=True)
class Instruction:
    """``text``: what follows the verb, on one line."""

    verb: str
    text: str


@cache
def instructions() -> tuple[Instruction, ...]:
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE.read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return tuple(Instruction(verb, " ".join(rest.split())) for verb, rest in lines)


def all_of(verb: str) -> list[str]:
    return [found.text for found in instructions() if found.verb == verb]


def only(verb: str) -> str:
    (text,) = all_of(verb)
    return text


def copied_sources() -> list[str]:
    """What comes from the build context, relative to it."""
    return [source for text in all_of("COPY") if not text.startswith("--from=") for source in text.split()[:-1]]


def removed_packages() -> set[str]:
    """Distributions that are installed with the rest and not taken along."""
    (run,) = [text for text in all_of("RUN") if f"{TREE}/bin/python uninstall" in text]
    return set(run.split(" uninstall --yes ")[1].split())


def environment(tree: Path) -> dict[str, str]:
    """What ENV sets, with ``tree`` in the place of the image's."""
    assignments = [word.split("=", 1) for text in all_of("ENV") for word in text.split()]
    return {name: value.replace(TREE, str(tree)) for name, value in assignments}


def health_command() -> list[str]:
    command: list[str] = json.loads(only("HEALTHCHECK").split(" CMD ")[1])
    return command


def health_option(name: str) -> float:
    """Seconds, or a number."""
    match = re.search(rf"--{name}=(\d+)", only("HEALTHCHECK"))
    assert match, name
    return float(match[1])


def copy_context(to: Path) -> None:
    """Into an empty folder: the COPY sources of the build context, without what .dockerignore leaves out."""
    for source in copied_sources():
        path = ROOT / source
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            relative = file.relative_to(ROOT)
            if file.is_file() and not is_ignored(relative):
                (to / relative).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, to / relative)


def is_ignored(path: Path) -> bool:
    """As Docker decides: the last pattern that matches the path, or a folder above it, wins."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#") and _matches(path, line.lstrip("!")):
            ignored = not line.startswith("!")
    return ignored


def _matches(path: Path, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return any(fnmatch(part, pattern.removeprefix("**/")) for part in path.parts)
    depth = pattern.count("/") + 1
    return len(path.parts) >= depth and fnmatch("/".join(path.parts[:depth]), pattern)
