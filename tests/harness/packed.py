"""The JavaScript client as others get it: packed by npm, and unpacked into a project that has real frameworks."""

import subprocess
import tarfile
from pathlib import Path

from tests.harness.node import NPM, PACKAGE, environment, need_tools
from tests.harness.waiting import PATIENCE_S

FRAMEWORKS = (
    *("vite", "react", "react-dom", "@types/react", "vue", "svelte"),
    *("@vitejs/plugin-vue", "@sveltejs/vite-plugin-svelte"),
)


def _packed(folder: Path) -> Path:
    """The tarball."""
    command = [*NPM, "pack", "--silent", "--pack-destination", str(folder)]
    subprocess.run(command, cwd=PACKAGE, env=environment(), capture_output=True, timeout=PATIENCE_S, check=True)
    (tarball,) = folder.glob("*.tgz")
    return tarball


def project_with_client(folder: Path) -> Path:
    """``folder``, whose programs find the packed client and the frameworks; the tarball lies there too.

    Skips where there are none.
    """
    tools = need_tools()
    modules = folder / "node_modules"
    (modules / "@stockwire").mkdir(parents=True)
    with tarfile.open(_packed(folder)) as tarball:
        tarball.extractall(modules / "@stockwire", filter="data")
    (modules / "@stockwire" / "package").rename(modules / "@stockwire" / "client")
    for name in FRAMEWORKS:
        (modules / name).parent.mkdir(exist_ok=True)
        (modules / name).symlink_to(tools / name)
    (folder / "package.json").write_text('{"type": "module"}')
    return folder
