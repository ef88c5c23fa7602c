"""The migrations in their order, as what they do rather than as what Alembic runs."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from ledger.migrations.steps import Step

_VERSIONS = Path(__file__).parent / "versions"


@dataclass(frozen=True, slots=True)
class Revision:
    """``since``: the first version of Stockwire that knows it. ``steps``: its expand, for a number of shards.

    ``contract``: what is taken away when nobody lives who needs it; ``lost``: what cannot be undone then.
    """

    number: str
    title: str
    since: str
    steps: Callable[[int], tuple[Step, ...]]
    contract: tuple[Step, ...]
    lost: str


def numbers() -> list[str]:
    """Of all migrations of this version, without loading them: what a ledger needs at its start."""
    return sorted(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*.py"))


def newest() -> str:
    return numbers()[-1]


def revisions() -> list[Revision]:
    modules = [import_module(f"{__package__}.versions.{path.stem}") for path in sorted(_VERSIONS.glob("[0-9]*.py"))]
    return [
        Revision(
            module.revision,
            (module.__doc__ or "").splitlines()[0],
            module.SINCE,
            module.steps,
            getattr(module, "CONTRACT", ()),
            getattr(module, "LOST", ""),
        )
        for module in modules
    ]
