"""Schemathesis, as a program of its own: it sends what an OpenAPI document allows, and what it does not."""

import asyncio
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.chance import ROUNDS, SEED

DEADLINE_S = 90 * ROUNDS
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


@dataclass(frozen=True, slots=True)
class Run:
    """``statuses``: answers by status."""

    passed: bool
    output: str
    statuses: Counter[int]


async def run(
    document: Path, url: str, folder: Path, key: str | None, *options: str, examples: int = 4, phases: str = ALL_PHASES
) -> Run:
    """``examples``: at most so many requests for each operation in fuzzing. The same SEED sends the same requests."""
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
    return Run(process.returncode == 0, output.decode(errors="replace"), _statuses(report))


def _statuses(report: Path) -> Counter[int]:
    found: Counter[int] = Counter()
    for line in report.read_text().splitlines():
        scenario = json.loads(line).get("ScenarioFinished")
        if scenario is not None:
            interactions = scenario["recorder"].get("interactions", {}).values()
            found.update(one["response"]["status_code"] for one in interactions if one.get("response"))
    return found
