"""Schemathesis, as a program of its own: it sends what an OpenAPI document allows, and what it does not."""

import asyncio
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.harness.chance import ROUNDS, SEED

DEADLINE_S = 180 * ROUNDS
ALL_PHASES = "examples,coverage,fuzzing"
"""``coverage``: the bounds of each field, one by one, without chance. Links between operations are not followed: one of
them leads from the list of keys to the revocation of our own."""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "ignored_auth",
)
"""Not positive_data_acceptance: what goes beyond one field (the sign of a kind, the ``next`` of another page) no schema
can say. Not allow_header_conformance: DELETE on ``/v1/keys/introspect`` is DELETE of a key by that id."""


RUNS_MAX = 3
"""A server that a busy machine held up in a transaction answers 503, rightly. Not in each of so many runs."""


@dataclass(frozen=True, slots=True)
class Run:
    """``statuses``: answers by status. ``failed``: names of checks."""

    passed: bool
    output: str
    statuses: Counter[int]
    failed: set[str]

    @property
    def was_held_up(self) -> bool:
        """There is nothing to complain about but 503."""
        errors = {status for status in self.statuses if status >= 500}
        return errors == {503} and self.failed <= {"not_a_server_error"}


async def run(
    document: Path, url: str, folder: Path, key: str | None, *options: str, examples: int = 4, phases: str = ALL_PHASES
) -> Run:
    """``examples``: at most so many requests for each operation in fuzzing. The same SEED sends the same requests."""
    for _ in range(RUNS_MAX):
        done = await _run_once(document, url, folder, key, *options, examples=examples, phases=phases)
        if not done.was_held_up:
            break
    return done


async def _run_once(
    document: Path, url: str, folder: Path, key: str | None, *options: str, examples: int, phases: str
) -> Run:
    report = folder / f"report-{random.getrandbits(32):08x}.ndjson"
    arguments = [
        str(document),
        f"--url={url}",
        f"--seed={SEED}",
        f"--max-examples={examples * ROUNDS}",
        f"--checks={','.join(CHECKS)}",
        f"--phases={phases}",
        "--suppress-health-check=all",
        "--request-timeout=40",
        "--continue-on-failure",
        "--warnings=off",
        "--no-color",
        f"--report-ndjson-path={report}",
        *options,
    ]
    if key is not None:
        arguments.append(f"--header=Authorization: Bearer {key}")
    program = str(Path(sys.executable).with_name("st"))
    process = await asyncio.create_subprocess_exec(
        program, "run", *arguments, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Run(process.returncode == 0, output.decode(errors="replace"), *_reported(report))


def _reported(report: Path) -> tuple[Counter[int], set[str]]:
    """Answers by status, and which checks have failed."""
    statuses: Counter[int] = Counter()
    failed: set[str] = set()
    for line in report.read_text().splitlines():
        scenario = json.loads(line).get("ScenarioFinished")
        if scenario is not None:
            interactions = scenario["recorder"].get("interactions", {}).values()
            statuses.update(one["response"]["status_code"] for one in interactions if one.get("response"))
            checks = (check for case in scenario["recorder"].get("checks", {}).values() for check in case)
            failed |= {check["name"] for check in checks if check["status"] != "success"}
    return statuses, failed
