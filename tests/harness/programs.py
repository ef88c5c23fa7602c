"""Programs of the system's packages that tests run beside ours: a balancer, a cache, what watches."""

import os
import shutil

import pytest

PACKAGES = {
    "haproxy": "haproxy",
    "nginx": "nginx-light",
    "varnishd": "varnish",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "amtool": "prometheus-alertmanager",
}
"""Debian's package of each. `.ci/run` installs them all."""
REQUIRED = "STOCKWIRE_REQUIRE_PROGRAMS"
_FOLDERS = "/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"


def need_program(name: str) -> str:
    """Its path. Skips the test if there is none, or fails it where STOCKWIRE_REQUIRE_PROGRAMS says so."""
    if (program := installed(name)) is None:
        reason = f"no {name} on this machine (Debian: apt-get install {PACKAGES[name]})"
        (pytest.fail if os.environ.get(REQUIRED) == "1" else pytest.skip)(reason)
    return program


def installed(name: str) -> str | None:
    """Also where a user's PATH does not reach, as of most servers."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_FOLDERS}")
