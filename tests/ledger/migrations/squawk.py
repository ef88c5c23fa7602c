"""squawk, a linter of migrations, on the SQL of every step as it is run: ``-m tests.ledger.migrations.squawk``."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.findings import VERSION_MIN
from ledger.migrations.migrator import CHANGE_TIMEOUT_MS, LOCK_TIMEOUT_MS
from ledger.migrations.revisions import revisions
from ledger.migrations.steps import Change, Step
from tests.harness.waiting import PATIENCE_S

SQUAWK = Path(sys.executable).with_name("squawk")
POSTGRES = f"{VERSION_MIN // 10_000}.0"
"""The oldest that we take: what it locks, later ones may not."""
SHARDS = 4

EXCLUDED = {
    "prefer-bigint-over-int": "quantities have 32 bits by the protocol; what counts up (seq, version) is a bigint",
}
EXCLUDED_IN_CONTRACTS = {
    "ban-drop-function": "a contract takes away on purpose: it is refused while a ledger lives that needs it",
}
"""By rule, with the reason. One that nothing needs fails a test."""

BEGIN = f"begin;\nset local lock_timeout = {LOCK_TIMEOUT_MS};\nset local statement_timeout = {CHANGE_TIMEOUT_MS};\n"


@dataclass(frozen=True, slots=True)
class Found:
    """``step``: as ``0002 expand 3``."""

    step: str
    rule: str
    message: str

    @property
    def excluded(self) -> bool:
        return self.rule in EXCLUDED or (" contract " in self.step and self.rule in EXCLUDED_IN_CONTRACTS)


def as_run(step: Step) -> str:
    """A change in its own transaction; what is no change (a backfill's batch) by itself."""
    sql = step.sql.rstrip(";") + ";\n"
    return f"{BEGIN}{sql}commit;\n" if isinstance(step, Change) else sql


def steps() -> dict[str, str]:
    """The SQL of every step there is."""
    return {
        f"{revision.number} {kind} {number}": as_run(step)
        for revision in revisions()
        for kind, of_kind in (("expand", revision.steps(SHARDS)), ("contract", revision.contract))
        for number, step in enumerate(of_kind, 1)
    }


def found_in(sql: Mapping[str, str]) -> list[Found]:
    """Everything that squawk says, excluded or not."""
    with tempfile.TemporaryDirectory(prefix="stockwire-squawk-") as folder:
        for step, text in sql.items():
            (Path(folder) / f"{step}.sql").write_text(text)
        done = subprocess.run(
            [SQUAWK, "--reporter=json", f"--pg-version={POSTGRES}", *sorted(Path(folder).iterdir())],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.returncode in (0, 1), done.stderr
    return [Found(Path(one["file"]).stem, one["rule_name"], one["message"]) for one in json.loads(done.stdout)]


def bad(found: Iterable[Found]) -> list[str]:
    return [f"{one.step}: {one.rule}: {one.message}" for one in found if not one.excluded]


def main() -> int:
    lines = bad(found_in(steps()))
    sys.stderr.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
