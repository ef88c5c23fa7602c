"""`stockwire cdc-config`: the configuration of Debezium's connector."""

import re
from typing import Annotated

import typer

from cli.named_system import checked_variables, database_url
from cli.options import Data
from cli.refusals import database_refusals

_ROLE = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", re.ASCII)


def role_name(text: str) -> str:
    """One that needs no quotes in connection strings and pg_hba.conf. Raises ValueError."""
    if not _ROLE.fullmatch(text):
        raise ValueError("take up to 63 small letters, digits and _, and not pg_ at the beginning")
    return text


CdcRole = Annotated[
    str, typer.Option("--cdc-role", parser=role_name, metavar="NAME", help="The role by which Debezium connects.")
]
Prefix = Annotated[str, typer.Option("--prefix", help="Of the topic PREFIX.events; names the connector and its slot.")]
System = Annotated[str, typer.Option("--system", help="What messages name as their source, as of a relay.")]
Host = Annotated[
    str | None, typer.Option("--host", metavar="HOST:PORT", help="Where Debezium reaches the database's primary.")
]
Properties = Annotated[bool, typer.Option("--properties", help="Lines of key=value instead of JSON.")]


def cdc_config(
    prefix: Prefix = "stockwire",
    system: System = "stockwire",
    host: Host = None,
    cdc_role: CdcRole = "stockwire_cdc",
    properties: Properties = False,
    data: Data = None,
) -> None:
    """Print the configuration of Debezium's connector for the database as it is now. Changes nothing."""
    import asyncio

    from cli import cdc

    with database_refusals():
        cdc.check_name("--prefix", prefix)
        cdc.check_name("--system", system)
        place = asyncio.run(cdc.place_of(database_url(checked_variables(data)), host))
    configuration = cdc.connector(place, prefix=prefix, system=system, role=cdc_role)
    print(cdc.as_properties(prefix, configuration) if properties else cdc.as_json(prefix, configuration))
