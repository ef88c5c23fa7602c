"""The ledger as commands are sent to it: every answer as it is."""

from pathlib import Path
from typing import NamedTuple

import httpx

from followers.intake.command import Command
from followers.outward.retry_after import seconds_of
from server.http.ledger_api import LedgerApi, LedgerAway

CONNECTIONS_MAX = 64
"""To the ledger: commits share a turn, so more of them gain nothing."""
ANSWER_BYTES_MAX = 16 * 2**20
"""Far above what 1,000 lines are answered with."""


class Reply(NamedTuple):
    """``retry_after_s``: None where it does not say."""

    status: int
    body: bytes
    retry_after_s: float | None


class CommandLedger(LedgerApi):
    """Use as ``async with``."""

    def __init__(self, url: str, key: str, ca_file: Path | None) -> None:
        super().__init__(url, key, ca_file, wait_s=0.0, connections_max=CONNECTIONS_MAX, refused="")

    async def send(self, command: Command) -> Reply:
        """Raises LedgerAway: then it may have been done or not, and the same key tells."""
        headers = {"Idempotency-Key": command.key, "Content-Type": "application/json"}
        try:
            async with self._http.stream(command.method, command.path, content=command.body, headers=headers) as answer:
                body = bytearray()
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > ANSWER_BYTES_MAX:
                        raise LedgerAway(f"the ledger's answer has more than {ANSWER_BYTES_MAX:,} bytes")
                return Reply(answer.status_code, bytes(body), seconds_of(answer.headers.get("Retry-After")))
        except httpx.HTTPError as error:
            raise LedgerAway(f"the ledger does not answer ({error or type(error).__name__})") from error
