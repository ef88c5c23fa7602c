"""Options that several of the server's commands have."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option(help="Data folder of a `stockwire up` (STOCKWIRE_DATA).", show_default=".stockwire")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Channel = Annotated[str, typer.Argument(metavar="CHANNEL", help="Its name.")]
