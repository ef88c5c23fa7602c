"""The JavaScript client as others get it: packed by npm, and unpacked into a project that has real frameworks."""

import json
import subprocess
import tarfile
from pathlib import Path

from tests.harness.node import NPM, PACKAGE, environment, need_tools
from tests.harness.waiting import PATIENCE_S

FRAMEWORKS = (
    *("vite", "react", "react-dom", "@types/react", "vue", "svelte"),
    *("@vitejs/plugin-vue", "@sveltejs/vite-plugin-svelte"),
)


def packed(folder: Path) -> Path:
    """The tarball."""
    command = [*NPM, "pack", "--json", "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(
        command, cwd=PACKAGE, env=environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert json.loads(done.stdout)
    (tarball,) = folder.glob("*.tgz")
    return tarball


def project_with_client(folder: Path) -> Path:
    """A folder whose programs find the packed client and the frameworks. Skips where there are none."""
    tools = need_tools()
    modules = folder / "node_modules"
    (modules / "@stockwire").mkdir(parents=True)
    with tarfile.open(packed(folder)) as tarball:
        tarball.extractall(modules / "@stockwire", filter="data")
    (modules / "@stockwire" / "package").rename(modules / "@stockwire" / "client")
    for name in FRAMEWORKS:
        (modules / name).parent.mkdir(exist_ok=True)
        (modules / name).symlink_to(tools / name)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder
