"""The block that `stockwire up` prints when everything answers: addresses, and commands ready to paste. Pure."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

NO_PROMETHEUS = "none on the PATH: install it (Debian: apt-get install prometheus), and start this again"


@dataclass(frozen=True, slots=True)
class Banner:
    """``program``: the absolute path of the ``stockwire`` script. ``sku``: one that the curl line sells.
    ``keys``: what can be pressed here; empty where nobody can. ``read``: a hub's read port. ``origins``: of pages
    that may have a badge, beside those of ``page``. ``console``: the link that signs in once; ``channels``: where
    webhooks are made; ``exporter`` and ``prometheus``: where they answer; ``stream``: the broker that a relay
    writes to, and ``stream_kind`` which kind it is; empty where none runs."""

    page: str
    ledger: str
    hubs: Sequence[str]
    key: str = field(repr=False)
    read_token: str = field(repr=False)
    read_token_ends: datetime
    program: Path
    data: Path
    location: str
    sku: str
    read: str
    origins: Sequence[str]
    keys: str = ""
    console: str = field(default="", repr=False)
    channels: str = ""
    exporter: str = ""
    prometheus: str = ""
    stream: str = ""
    stream_kind: str = ""

    def text(self) -> str:
        ends = self.read_token_ends.astimezone().strftime("%H:%M:%S")
        keys = f"\n  Keys here:\n    {self.keys}" if self.keys else ""
        console = (
            f"\n  Console    {self.console}\n             (this link signs in once; later with the API key)"
            if self.console
            else ""
        )
        channels = f"\n  Channels   {self.channels}  (webhooks: docs/how-to/webhooks.md)" if self.channels else ""
        return f"""
  Page       {self.page}{console}
  Ledger     {self.ledger}  (API: {self.ledger}/docs)
  Hubs       {"  ".join(self.hubs)}{channels}{self.observed()}{self.streamed()}
  API key    {self.key}
  Read token {self.read_token}
             (reads only, ends at {ends}; {self.data / "run.json"} always holds a fresh one)

  Badge      <stock-badge location="{self.location}" sku="{self.sku}">In stock</stock-badge>
             <script type="module" src="{self.read}/v1/badge.js"></script>
             ({self.welcome()}: docs/how-to/badge.md)

  Sell one:
    {self.curl()}
  Watch, in a second terminal:
    {self.watch()}{self.listened()}{keys}
  Ctrl-C stops everything.
"""

    def observed(self) -> str:
        if not self.exporter:
            return ""
        prometheus = (
            f"{self.prometheus}  (what to look at: docs/how-to/observe.md)" if self.prometheus else NO_PROMETHEUS
        )
        return f"\n  Exporter   {self.exporter}/metrics\n  Prometheus {prometheus}"

    def streamed(self) -> str:
        page = f"docs/how-to/{self.stream_kind}.md"
        return f"\n  Stream     {self.stream}  (every change: {page})" if self.stream else ""

    def listened(self) -> str:
        line = f"{shlex.quote(str(self.program))} listen {shlex.quote(self.stream)}"
        return f"\n  Read what the relay writes:\n    {line}" if self.stream else ""

    def welcome(self) -> str:
        """Which pages."""
        if self.origins:
            return f"on pages of {', '.join(self.origins)}"
        return "on any page that STOCKWIRE_ALLOWED_ORIGINS=http://localhost:8000 names when this is started"

    def curl(self) -> str:
        body = f'{{"sku":"{self.sku}","location":"{self.location}","quantity":-1,"kind":"sale"}}'
        return (
            f"curl -sS {self.ledger}/v1/movements -H 'Authorization: Bearer {self.key}' "
            '-H "Idempotency-Key: $(uuidgen 2>/dev/null || date +%s%N)" '
            f"-H 'Content-Type: application/json' -d {shlex.quote(body)}"
        )

    def watch(self) -> str:
        return f"STOCKWIRE_DATA={shlex.quote(str(self.data))} {shlex.quote(str(self.program))} watch {self.location}"
