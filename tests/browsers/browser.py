"""A headless Chromium or Firefox ESR of the machine's own, started once, driven over WebDriver BiDi."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browsers.bidi import Bidi, Result, bidi_session
from tests.harness.children import die_with_parent
from tests.harness.waiting import PATIENCE_S, POLL_S

CHROMIUM = "chromium"
FIREFOX = "firefox"
PROGRAMS = {CHROMIUM: ("chromium", "chromedriver"), FIREFOX: ("firefox-esr",)}
PACKAGES = {CHROMIUM: "chromium chromium-driver", FIREFOX: "firefox-esr"}
"""Debian's."""
READY = {CHROMIUM: "started successfully on port ", FIREFOX: "WebDriver BiDi listening on ws://127.0.0.1:"}
"""What stands before the port in what each prints."""
CHROMIUM_ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--disable-quic",
    "--enable-precise-memory-info",  # performance.memory to the byte
    "--js-flags=--expose-gc",
)
ENDS_WITH_DRIVER = """#!/bin/sh
exec setpriv --pdeathsig KILL chromium "$@"
"""
"""The driver ends with us, however we end, and leaves its browser running: this is what it starts instead."""
FIREFOX_PREFERENCES = """
user_pref("browser.tabs.unloadOnLowMemory", false);
user_pref("network.proxy.type", 0);
user_pref("browser.sessionhistory.max_total_viewers", 8);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("app.update.disabledForTesting", true);
"""
"""Pages in its back/forward cache: of its own accord it keeps none on a machine with little memory."""


@dataclass(frozen=True, slots=True)
class Browser:
    """``name``: one of CHROMIUM, FIREFOX."""

    name: str
    bidi: Bidi


@contextmanager
def started(name: str, folder: Path) -> Iterator[Browser]:
    """Skips where it is not installed, unless STOCKWIRE_REQUIRE_BROWSER=1. ``folder``: for its profile."""
    if absent := [program for program in PROGRAMS[name] if shutil.which(program) is None]:
        reason = f"no {' and '.join(absent)} on this machine (Debian: apt-get install {PACKAGES[name]})"
        if os.environ.get("STOCKWIRE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    printed = folder / "printed"
    with printed.open("wb") as output:
        process = subprocess.Popen(
            _command(name, folder),
            env={**os.environ, "HOME": str(folder)},  # its own: Firefox refuses another's, and both write into it
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    try:
        url = f"ws://127.0.0.1:{_port(process, printed, READY[name])}/session"
        with bidi_session(url, _capabilities(name, folder)) as bidi:
            yield Browser(name, bidi)
    finally:
        process.terminate()  # Chromium's driver does not end with the session, and after a failure nothing does
        _end(process)


def _command(name: str, folder: Path) -> list[str]:
    if name == CHROMIUM:
        return ["chromedriver", "--port=0"]
    profile = folder / "profile"
    profile.mkdir()
    (profile / "user.js").write_text(FIREFOX_PREFERENCES)
    return ["firefox-esr", "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(profile)]


def _capabilities(name: str, folder: Path) -> Result:
    if name == FIREFOX:
        return {"moz:firefoxOptions": {}}
    program = folder / "chromium"
    program.write_text(ENDS_WITH_DRIVER)
    program.chmod(0o755)
    arguments = [*CHROMIUM_ARGUMENTS, f"--user-data-dir={folder / 'profile'}"]
    options: Mapping[str, object] = {"binary": str(program), "args": arguments}
    return {"goog:chromeOptions": options}


def _port(process: subprocess.Popen[bytes], printed: Path, before: str) -> int:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        text = printed.read_text(errors="replace")
        _, found, rest = text.partition(before)
        if found and "\n" in rest:
            return int(rest.split("\n")[0].rstrip("."))
        assert process.poll() is None, text
        assert time.monotonic() < deadline, text
        time.sleep(POLL_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
