"""Varnish and nginx with deploy/varnish.vcl and deploy/nginx-cache.conf, before the read ports of two hubs."""

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tests.deploy.front import AS_ROOT, Front, placed
from tests.harness.programs import need_program
from tests.harness.servers import free_port
from tests.harness.waiting import PATIENCE_S


class EdgeCache(Protocol):
    """``hubs``: host:port of two read ports."""

    port: int
    front: Front

    def __init__(self, folder: Path, hubs: Sequence[str]) -> None: ...

    renewal: tuple[str, dict[str, str]]
    """Method and headers that have a copy fetched anew, or thrown away."""

    def fetched(self) -> int:
        """How many requests hubs have answered it so far."""


class Varnish:
    renewal = ("PURGE", dict[str, str]())

    def __init__(self, folder: Path, hubs: Sequence[str]) -> None:
        self.port = free_port()
        self._folder = folder / "varnish"
        backends = {
            f'.host = "hub-{number}"; .port = "8091";': '.host = "{}"; .port = "{}";'.format(*hub.split(":"))
            for number, hub in enumerate(hubs, 1)
        }
        file = folder / "varnish.vcl"
        file.write_text(placed("varnish.vcl", backends))
        bounds = ("-p", "idle_send_timeout=10", "-p", "send_timeout=30", "-p", "http_req_size=16k")
        listen = ("-a", f"127.0.0.1:{self.port}", "-T", "none", "-j", "none")
        command = [need_program("varnishd"), "-F", "-n", str(self._folder), "-f", str(file), "-s", "malloc,64m"]
        self.front = Front([*command, *listen, *bounds], folder)

    def fetched(self) -> int:
        command = [need_program("varnishstat"), "-1", "-n", str(self._folder), "-f", "MAIN.s_fetch"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
        return int(done.stdout.split()[1])


class Nginx:
    renewal = ("GET", {"Cache-Control": "no-cache"})

    def __init__(self, folder: Path, hubs: Sequence[str]) -> None:
        self.port = free_port()
        self._log = folder / "access.log"
        places = {f"server hub-{number}:8091": f"server {hub}" for number, hub in enumerate(hubs, 1)}
        places |= {"listen 8088": f"listen 127.0.0.1:{self.port}"}
        places |= {"/var/log/nginx/stockwire-cache.log": str(self._log), "/var/cache/nginx": str(folder / "kept")}
        places |= {"127.0.0.1:8089": f"127.0.0.1:{free_port()}"}
        (folder / "kept").mkdir()
        file = folder / "nginx-cache.conf"
        file.write_text(placed("nginx-cache.conf", places))
        told = f"daemon off; {AS_ROOT}pid {folder}/nginx.pid; error_log stderr;"
        self.front = Front([need_program("nginx"), "-p", str(folder), "-c", str(file), "-g", told], folder)

    def fetched(self) -> int:
        return len(re.findall(r" (?:MISS|EXPIRED) 200 [\d.]+$", self._log.read_text(), re.MULTILINE))


CACHES: dict[str, type[EdgeCache]] = {"varnish": Varnish, "nginx": Nginx}
