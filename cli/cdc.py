"""`stockwire migrate --cdc` and `cdc-config`: what they say, and how Debezium's connector is set up.

``deploy/debezium/`` has what ``connector`` gives for an example, and docs/how-to/debezium.md the way from nothing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ledger.database.connector import Connector
from ledger.database.slots import PUBLICATION
from ledger.feed.heads import READ, suffix_of
from ledger.migrations.cdc import SetUp
from server.settings.database_url import PORT_DEFAULT, read_database_url
from server.settings.environment import SettingsError
from wire.envelope import source_of

TIMEOUT_S = 10.0
EPOCH_HEADER, SOURCE_HEADER = "stockwire_epoch", "stockwire_source"
"""What a consumer makes the attributes of CloudEvents from, beside the row itself."""
PASSWORD = "${file:/run/secrets/stockwire-cdc.properties:password}"
"""As Kafka Connect's FileConfigProvider resolves it: no password stands in a configuration."""
FAILOVER_SINCE = 170000
"""PostgreSQL 17 keeps a slot on standbys too."""
HEARTBEAT_MS = 60_000
"""Offsets move on as often while nothing is sold, so that PostgreSQL can throw its log away."""
BEAT = "stockwire_heartbeat"
"""A message in PostgreSQL's log by which offset and slot move together, told to nobody: everybody may write one."""
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""As of a relay: what a topic may be called."""
_DATABASE = "select current_database(), current_schema(), current_setting('server_version_num')::int"
_TRANSFORMS = "org.apache.kafka.connect.transforms"


@dataclass(frozen=True, slots=True)
class Place:
    """What a connector has to know of a system. ``epoch``: as everybody sees it. ``version``: server_version_num."""

    host: str
    port: int
    database: str
    schema: str
    version: int
    epoch: str
    shards: int


async def place_of(url: str, host: str | None) -> Place:
    """``host``: HOST:PORT by which Debezium reaches the database, None for that of ``url``. Raises SettingsError, or
    what ``Connector.connect`` raises."""
    name, port = address_of(url, host)
    connection = await Connector(url).connect({}, TIMEOUT_S)
    try:
        row = await connection.fetchrow(READ)
        database, schema, version = await connection.fetchrow(_DATABASE)
    finally:
        await connection.close(timeout=TIMEOUT_S)
    return Place(name, port, database, schema, version, row["epoch"] + suffix_of(row), len(row["shards"]))


def address_of(url: str, host: str | None) -> tuple[str, int]:
    """Raises SettingsError."""
    if host is not None:
        name, _, port = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", str(PORT_DEFAULT))
        return name, int(port)
    for one in read_database_url(url).hosts:
        if not one.name.startswith("/"):
            return one.name, one.port
    raise SettingsError(
        "Debezium connects by TCP, and STOCKWIRE_DATABASE_URL names no host: say with --host HOST:PORT where it does"
    )


def connector(place: Place, *, prefix: str, system: str, role: str) -> dict[str, str]:
    """The configuration, as Kafka Connect and Debezium's engine take it: one topic ``<prefix>.events``, a partition for
    each shard, the key's fields location and sku, the value the row of the event."""
    slot = re.sub(r"[^a-z0-9_]", "_", prefix.lower())
    table = f"{place.schema}.stock_event"
    return {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "tasks.max": "1",
        "database.hostname": place.host,
        "database.port": str(place.port),
        "database.dbname": place.database,
        "database.user": role,
        "database.password": PASSWORD,
        "plugin.name": "pgoutput",
        "publication.name": PUBLICATION,
        "publication.autocreate.mode": "disabled",
        "slot.name": slot,
        **({"slot.failover": "true"} if place.version >= FAILOVER_SINCE else {}),
        # Or the log of other tables would be kept while nothing is sold. The driver's own way, connector_and_driver,
        # leads the slot past the connector's offsets, and then it does not start again
        "lsn.flush.mode": "connector",
        "heartbeat.interval.ms": str(HEARTBEAT_MS),
        "heartbeat.action.query": f"select pg_logical_emit_message(false, '{BEAT}', '')",
        "message.prefix.exclude.list": BEAT,
        "topic.prefix": prefix,
        "table.include.list": table,
        "message.key.columns": f"{table}:location,sku",
        # The log so far, each shard in its order, without a lock and without watching what others read
        "snapshot.mode": "initial",
        "snapshot.isolation.mode": "repeatable_read",
        "snapshot.select.statement.overrides": table,
        f"snapshot.select.statement.overrides.{table}": f"select * from {table} order by shard, seq",
        "key.converter": "org.apache.kafka.connect.json.JsonConverter",
        "key.converter.schemas.enable": "false",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "header.converter": "org.apache.kafka.connect.storage.StringConverter",
        "topic.creation.default.partitions": str(place.shards),
        "topic.creation.default.replication.factor": "-1",
        "transforms": "partition,row,topic,epoch,source",
        "transforms.partition.type": "io.debezium.transforms.partitions.PartitionRouting",
        "transforms.partition.partition.payload.fields": "change.shard",
        "transforms.partition.partition.topic.num": str(place.shards),
        "transforms.row.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.topic.type": f"{_TRANSFORMS}.RegexRouter",
        "transforms.topic.regex": rf"{prefix}\.{place.schema}\.stock_event",
        "transforms.topic.replacement": f"{prefix}.events",
        "transforms.epoch.type": f"{_TRANSFORMS}.InsertHeader",
        "transforms.epoch.header": EPOCH_HEADER,
        "transforms.epoch.value.literal": place.epoch,
        "transforms.source.type": f"{_TRANSFORMS}.InsertHeader",
        "transforms.source.header": SOURCE_HEADER,
        "transforms.source.value.literal": source_of(system),
    }


def check_name(option: str, name: str) -> None:
    """Raises SettingsError."""
    if not NAME.fullmatch(name):
        raise SettingsError(f"{option} {name} will not do: take up to 64 letters, digits, - and _")


def as_json(name: str, configuration: Mapping[str, str]) -> str:
    """As POST /connectors of Kafka Connect takes it."""
    return json.dumps({"name": name, "config": configuration}, indent=2)


def as_properties(name: str, configuration: Mapping[str, str]) -> str:
    """As Connect's standalone worker and Debezium's engine take it: lines of java.util.Properties."""
    lines = (f"{key}={value}" for key, value in {"name": name, **configuration}.items())
    return "\n".join(line.replace("\\", "\\\\") for line in lines)


def told(done: SetUp) -> str:
    """What `stockwire migrate --cdc` has to say when it has done its work: what is still missing, with the fix."""
    lines = [
        f"Publication {PUBLICATION} has the inserts of stock_event; {done.role} may read that table and replicate."
    ]
    if done.made:
        lines.append(f"Nobody gets in as {done.role} by a password yet: give it one in psql, \\password {done.role}")
    if not done.replicates:
        lines.append(
            f"But {done.role} may not replicate yet, or not connect: `alter role {done.role} login replication` as a"
            " superuser (a managed database has its own way)"
        )
    if done.wal_level != "logical":
        lines.append(
            f"A connector cannot start yet: wal_level is {done.wal_level}. Set wal_level = logical, and start"
            " PostgreSQL again"
        )
    return "\n".join((*lines, "`stockwire cdc-config` prints the connector's configuration."))
