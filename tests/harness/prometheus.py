"""A real Prometheus, with ports and a folder of its own, that scrapes servers of a test."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import yaml

from tests.harness.programs import await_answer, need_program, running
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S, wait_until

INTERVAL_S = 1.0
RESEND_S = 1
"""By default a minute: what fires before it has found the Alertmanager, which takes 5 s, would be told then."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    url: str

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """What an instant vector has now, as the API tells it: ``metric`` and ``value``. Raises AssertionError with
        Prometheus' words for a bad expression."""
        return list((await self._get("query", query=expression))["result"])

    async def value(self, expression: str) -> float | None:
        """Of an expression with one result at most."""
        found = await self.query(expression)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    async def until(self, expression: str) -> list[dict[str, Any]]:
        """What an expression has, as soon as it has something."""
        return await wait_until(lambda: self.query(expression), what=expression)

    async def scraped(self, targets: int) -> None:
        """Until so many targets were up in their last scrape."""
        await self.until(f"sum(up) == {targets}")

    async def alerts(self) -> list[dict[str, Any]]:
        """Pending and firing ones."""
        return list((await self._get("alerts"))["alerts"])

    async def rules(self) -> list[dict[str, Any]]:
        """Of all groups that it has loaded."""
        return [rule for group in (await self._get("rules"))["groups"] for rule in group["rules"]]

    async def _get(self, path: str, **query: str) -> Any:
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_S) as http:
            answer = (await http.get(f"{self.url}/api/v1/{path}", params=query)).json()
        assert answer["status"] == "success", answer
        return answer["data"]


@asynccontextmanager
async def prometheus(
    folder: Path,
    targets: Mapping[str, Sequence[str]],
    *,
    rules: Sequence[Path] = (),
    alertmanager: str | None = None,
    interval_s: float = INTERVAL_S,
    discovered: Path | None = None,
) -> AsyncIterator[Prometheus]:
    """Ready, and ended with the block. ``targets``: admin URLs (``Server.admin``) by job. ``alertmanager``: its URL.
    ``discovered``: a file of targets that come and go, as its ``file_sd_configs`` reads it.

    It scrapes and evaluates each ``interval_s``. Skips the test where none is installed.
    """
    program = need_program("prometheus")
    configuration, log, port = folder / "prometheus.yml", folder / "prometheus.log", free_port()
    content = _configuration(targets, rules, alertmanager, interval_s)
    if discovered is not None:
        found_in = {"files": [str(discovered)], "refresh_interval": "1s"}
        content["scrape_configs"].append({"job_name": "discovered", "file_sd_configs": [found_in]})
    _write(configuration, content)
    command = [
        program,
        f"--config.file={configuration}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=1h",
        f"--rules.alert.resend-delay={RESEND_S}s",
    ]
    with running(command, log) as process:
        found = Prometheus(f"http://127.0.0.1:{port}")
        await await_answer(process, log, f"{found.url}/-/ready")
        yield found


def _write(file: Path, configuration: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(configuration))


def _configuration(
    targets: Mapping[str, Sequence[str]], rules: Sequence[Path], alertmanager: str | None, interval_s: float
) -> dict[str, Any]:
    interval = f"{interval_s * 1_000:.0f}ms"
    return {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": [str(rule) for rule in rules],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [urlsplit(url).netloc for url in urls]}]}
            for job, urls in targets.items()
        ],
        "alerting": {"alertmanagers": _alertmanagers(alertmanager)},
    }


def _alertmanagers(url: str | None) -> list[dict[str, Any]]:
    return [{"static_configs": [{"targets": [urlsplit(url).netloc]}]}] if url else []
