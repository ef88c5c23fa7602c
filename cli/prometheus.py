"""Prometheus beside a `stockwire up`: it reads every process of it, judges our rules, and keeps a week.

Whoever runs Stockwire brings the program; where it is on the PATH, ``up --observe`` starts it. It answers on loopback,
and keeps what it knows in the data folder.
"""

import glob
import http.client
import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from cli.data_folder import write_private
from cli.embedded import Server
from cli.launch import Launch, Watchdog

RULES = Path(__file__).with_name("rules")
"""In a checkout a link to deploy/observe/rules; the wheel has the files."""
EVERY = "2s"
"""A flash sale lasts for seconds, of which the default of 60 would show nothing; one reading costs milliseconds."""
KEPT = "7d"
"""The longest window of a rule is three days."""
KEPT_BYTES = "1GB"
_PROBE_TIMEOUT_S = 2.0
_STOP_TIMEOUT_S = 10.0


class Prometheus(Server):
    """``program``: its path. ``admin``: the URLs of what it reads, by name. Keeps its data in ``folder/prometheus``."""

    def __init__(
        self, program: str, folder: Path, watchdog: Watchdog, host: str, port: int, admin: Mapping[str, str]
    ) -> None:
        super().__init__(watchdog)
        self.url = f"http://{host}:{port}"
        self._address = host, port
        self._config = folder / "prometheus.yml"
        self._admin = admin
        settings = {
            "config.file": self._config,
            "storage.tsdb.path": folder / "prometheus",
            "storage.tsdb.retention.time": KEPT,
            "storage.tsdb.retention.size": KEPT_BYTES,
            "web.listen-address": f"{host}:{port}",
            "web.external-url": self.url,  # else links in alerts name the machine, where nobody listens
            "enable-feature": "exemplar-storage",
        }
        self.launch = Launch(
            name="prometheus",
            argv=(program, *(f"--{name}={value}" for name, value in settings.items())),
            log=folder / "prometheus.log",
            stop_timeout_s=_STOP_TIMEOUT_S,
        )

    def prepare(self) -> None:
        write_private(self._config, yaml.safe_dump(configuration(self._admin, RULES), sort_keys=False))

    def answers(self) -> bool:
        connection = http.client.HTTPConnection(*self._address, timeout=_PROBE_TIMEOUT_S)
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def configuration(admin: Mapping[str, str], rules: Path) -> dict[str, object]:
    """Of a Prometheus that reads ``admin``, each process under its own name, hubs as one job, and judges ``rules``."""
    jobs: dict[str, list[Mapping[str, object]]] = {}
    for name, url in admin.items():
        target = {"targets": [urlsplit(url).netloc], "labels": {"instance": name}}
        jobs.setdefault(re.sub(r"-\d+$", "", name), []).append(target)
    return {
        "global": {"scrape_interval": EVERY, "scrape_timeout": EVERY, "evaluation_interval": EVERY},
        "rule_files": [f"{glob.escape(str(rules))}/*.yaml"],
        "scrape_configs": [{"job_name": job, "static_configs": targets} for job, targets in jobs.items()],
    }
