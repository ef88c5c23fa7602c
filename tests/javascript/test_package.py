"""The package as others get it: what is committed beside its source is made of it, and bundlers and types find it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import stockwire
from tests.harness.node import HOW, PACKAGE, REQUIRED, need_tools, run_node
from tests.harness.packed import project_with_client
from tests.harness.source import ROOT

pytestmark = pytest.mark.usefixtures("processes")

TYPED = Path(__file__).with_name("typed")
TYPESCRIPT = {
    **{"strict": True, "exactOptionalPropertyTypes": True, "noEmit": True, "skipLibCheck": False, "types": []},
    **{"module": "nodenext", "target": "es2024", "lib": ["es2024", "dom", "dom.iterable", "esnext.disposable"]},
    "jsx": "react-jsx",
}
"""As strict as others may be."""
BADGE = ROOT / "hub" / "reads" / "badge.js"


def test_both_clients_are_of_one_version() -> None:
    package, lock = (json.loads((PACKAGE / name).read_text()) for name in ("package.json", "package-lock.json"))
    assert package["version"] == lock["version"] == stockwire.__version__.replace(".dev", "-dev.")


def files_in(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_declarations_and_badge_are_what_their_source_makes_and_no_part_is_too_large(tmp_path: Path) -> None:
    """Fails after a change of the source: `make javascript`, and commit what it made."""
    need_tools()
    run_node("scripts/build.mjs", "--to", tmp_path)
    made = files_in(tmp_path)
    committed = {f"types/{name}": text for name, text in files_in(PACKAGE / "types").items()}
    if BADGE.exists():
        committed["badge.js"] = BADGE.read_text()
    assert made == committed


def test_who_asks_for_what_only_the_tools_can_make_is_not_told_that_it_was_made(tmp_path: Path) -> None:
    without = tmp_path / "run.py"
    without.write_text(
        "import pathlib, sys\nfrom tests.harness import node\n"
        f"node.INSTALLED = pathlib.Path({str(tmp_path / 'installed')!r})\nsys.exit(node.main(*sys.argv[1:]))\n"
    )
    nothing_to_install = (*("-o", ".venv/.installed-test"), *("-o", "client-sdk/js/node_modules/.installed"))
    run = f"NODE=PYTHONPATH={ROOT} {sys.executable} {without}"
    command = ["make", "-s", *nothing_to_install, "javascript", run]
    environment = {name: value for name, value in os.environ.items() if name != REQUIRED}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert HOW in done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project_with_client(tmp_path_factory.mktemp("project"))


def test_bundlers_and_compilers_find_what_the_package_says_it_has(project: Path) -> None:
    tools = need_tools()
    (tarball,) = project.glob("*.tgz")
    run_node(tools / ".bin" / "publint", "run", tarball, "--strict")
    run_node(tools / ".bin" / "attw", tarball, "--profile", "esm-only", "--no-color")


def test_right_uses_compile_in_typescript_and_wrong_ones_do_not(project: Path) -> None:
    """Strictly, from the packed declarations, which are checked too."""
    shutil.copytree(TYPED, project, dirs_exist_ok=True)
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": TYPESCRIPT, "include": ["*.ts", "*.tsx"]}))
    run_node(PACKAGE / "node_modules" / "typescript" / "bin" / "tsc", "-p", project, cwd=project)
