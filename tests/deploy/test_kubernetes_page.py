"""docs/how-to/kubernetes.md from nothing up to `helm template`: what it makes are secrets that Stockwire takes."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest
import yaml

from cli import keys
from followers.sealing import seal_of
from ledger.settings import read_settings
from tests.deploy.chart import VALUES, pods
from tests.docs.pages import HOW_TOS, blocks, text_of
from tests.docs.running import Reader
from tests.harness.helm import need_helm
from tests.harness.source import ROOT

pytestmark = pytest.mark.usefixtures("processes")

PAGE = next(page for page in HOW_TOS if page.name == "kubernetes.md")


async def test_the_page_makes_secrets_that_are_taken_and_renders_the_chart(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "clone").mkdir()
    reader = Reader(tmp_path / "clone", tmp_path / "nobody ran up here", "http://127.0.0.1:8080", [])
    await asyncio.to_thread(shutil.copytree, ROOT / "deploy", reader.folder / "deploy")
    reader.variables["PATH"] = f"{need_helm().parent}:{reader.variables['PATH']}"
    for found in blocks(PAGE, "kubernetes"):
        await reader.shell(found.text)
    made = {file.name: file for file in (reader.folder / "secrets").iterdir()}
    assert {file.stat().st_mode & 0o077 for file in made.values()} == {0}
    read_settings(
        {
            "STOCKWIRE_DATABASE_URL_FILE": str(made["database-url"]),
            "STOCKWIRE_REDIS_URL_FILE": str(made["broker-url"]),
            "STOCKWIRE_TOKEN_SECRET_FILE": str(made["token-secret"]),
        }
    )
    seal_of(made["sealing-keys"].read_text())
    for kind in ("hub", "console", "channels", "exporter", "relay", "intake"):
        assert await keys.take_in(database_url, made[f"{kind}-key"], kind, ["hub"], "")
    named = {name for path in VALUES.values() for name in secret_keys(path)}
    assert named - {"uri", "password"} == set(made), (
        "`kubectl create secret --from-file` gives each file's name to a key"
    )
    manifests = [one for one in yaml.safe_load_all((reader.folder / "rendered.yaml").read_text()) if one]
    assert set(pods(manifests)) == {"ledger", "hub", "migrate", "hub-key"}


def test_what_the_page_says_of_seconds_replicas_and_ports_is_so() -> None:
    text = text_of(PAGE)
    values = yaml.safe_load((ROOT / "deploy" / "helm" / "stockwire" / "values.yaml").read_text())
    for component in ("ledger", "hub", "channels", "relay", "intake"):
        assert f"`{component}.replicas`, {values[component]['replicas']}" in text
    for named in re.findall(r"`((?:hub|ledger|relay|intake|secrets|routes|tls|networkPolicy|pods)\.[\w.]+)`", text):
        found = values
        for part in named.split("."):
            assert part in found, named
            found = found[part]


def secret_keys(path: Path) -> set[str]:
    return {one["key"] for one in yaml.safe_load(path.read_text())["secrets"].values()}
