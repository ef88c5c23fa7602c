"""`stockwire reconcile`: a channel, or counts in a file, against the ledger."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import Data, Json
from stockwire.cli.numbers import number

Channel = Annotated[str | None, typer.Argument(metavar="CHANNEL", help="A channel, by its name.")]
Policy = Annotated[bool, typer.Option("--policy", help="Have the channel's policy repair what it allows.")]
File = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="Counts of an ERP or a warehouse: CSV or .xlsx.")
]
Location = Annotated[str | None, typer.Option("--location", help="With --file: where they were counted.")]
CountedAt = Annotated[
    str | None, typer.Option("--counted-at", metavar="TIME", help="With --file: what has moved since is left out.")
]
Whole = Annotated[
    bool, typer.Option("--whole", help="With --file: it lists all that there is; what it lacks differs too.")
]
Settle = Annotated[
    float, typer.Option("--settle", parser=number(0), metavar="SECONDS", help="With --file: between the two reads.")
]
Accept = Annotated[
    list[str] | None,
    typer.Option("--accept", metavar="ID|SKU|CLASS|all", help="Do what is proposed, book what was counted; repeat it."),
]
Dismiss = Annotated[
    list[str] | None,
    typer.Option("--dismiss", metavar="ID|CLASS", help="Leave it until it is another difference; repeat it."),
]
Why = Annotated[str | None, typer.Option("--why", help="Of --accept and --dismiss, in words, for the audit trail.")]


def reconcile(
    channel: Channel = None,
    policy: Policy = False,
    file: File = None,
    location: Location = None,
    counted_at: CountedAt = None,
    whole: Whole = False,
    settle: Settle = 2.0,
    accept: Accept = None,
    dismiss: Dismiss = None,
    why: Why = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Compare a channel, or counts in a file, with the ledger. Nothing changes but what is accepted."""
    from cli.reconcile_channel import reconcile_channel
    from cli.reconcile_counts import moment_of, reconcile_counts

    if (channel is None) == (file is None) or (file is None) != (location is None):
        raise typer.BadParameter("say what is compared: CHANNEL, or --file FILE --location NAME")
    if (accept or dismiss) and not why:
        raise typer.BadParameter("--accept and --dismiss need --why: it stands in the audit trail")
    if file is not None and location is not None:
        if dismiss or policy:
            raise typer.BadParameter("--dismiss and --policy are of a channel: a count changes nothing anyway")
        moment = moment_of(counted_at) if counted_at else None
        reconcile_counts(
            file, location, counted_at=moment, whole=whole, settle_s=settle, accepted=accept or [], why=why,
            as_json=as_json,
        )  # fmt: skip
    elif channel is not None:
        reconcile_channel(
            channel, policy=policy, accepted=accept or [], dismissed=dismiss or [], why=why, data=data, as_json=as_json
        )
