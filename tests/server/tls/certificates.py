"""Certificates from an authority that lives for one test, as files that servers and clients read; for 127.0.0.1 if no
other name is given.
"""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme

from tests.harness.waiting import PATIENCE_S

NAMES = ("127.0.0.1", "localhost")


class Authority:
    """``file``: what believes it. ``issue``: under the names of one pair of files, so that a second is a renewal."""

    def __init__(self, folder: Path, *names: str) -> None:
        folder.mkdir(exist_ok=True)
        self._names = names or NAMES
        self._authority = trustme.CA()
        self.file, self.chain, self.key = folder / "ca.pem", folder / "chain.pem", folder / "key.pem"
        self._authority.cert_pem.write_to_path(str(self.file))
        self.issue()

    def issue(self, *, days: float = 30) -> None:
        """``days``: until it ends; below 0: it has ended."""
        ends = datetime.now(UTC) + timedelta(days=days)
        issued = self._authority.issue_cert(*self._names, not_before=ends - timedelta(days=60), not_after=ends)
        self.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        self.key.touch(mode=0o600)
        self.key.write_bytes(issued.private_key_pem.bytes())

    @property
    def server(self) -> dict[str, Any]:
        """Settings of a ledger or hub that shows it."""
        return {"STOCKWIRE_TLS_CERT_FILE": self.chain, "STOCKWIRE_TLS_KEY_FILE": self.key}

    @property
    def hub(self) -> dict[str, Any]:
        """Settings of a hub that shows it, and believes a ledger that does."""
        return {**self.server, "STOCKWIRE_LEDGER_CA_FILE": self.file}

    def showing(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.chain, self.key)
        return context

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.file)

    def shown(self) -> bytes:
        """What is in the files now, as a client is shown it (DER)."""
        return ssl.PEM_cert_to_DER_cert(self.chain.read_text().partition("-----END CERTIFICATE-----")[0] + _END)


_END = "-----END CERTIFICATE-----\n"


async def certificate_at(url: str, trust: ssl.SSLContext) -> bytes:
    """What a new connection is shown (DER). Raises ssl.SSLError, ConnectionError."""
    parts = urlsplit(url)
    async with asyncio.timeout(PATIENCE_S):
        _, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=trust)
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return shown
