"""What Debezium needs of the database: a publication of the events alone, and a role that may read them.

``docs/decisions/0049-relay-or-debezium.md`` says when to take that way.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from ledger.database.slots import PUBLICATION
from ledger.migrations.errors import CdcRefused
from ledger.migrations.migrator import Say, run
from ledger.migrations.steps import Change, Lock

_PUBLISH = (
    f"create publication {PUBLICATION} for table stock_event with (publish = 'insert', publish_via_partition_root)"
)
_FOUND = text(f"""
select current_user as us, quote_ident(current_database()) as database, quote_ident(current_schema()) as schema,
       current_setting('wal_level') as wal_level,
       has_database_privilege(current_database(), 'create') as may_publish,
       r.rolsuper or (r.rolcreaterole and r.rolreplication and current_setting('server_version_num')::int >= 160000)
         as may_make_roles,
       exists(select from pg_roles where rolname = :role) as role_exists,
       exists(select from pg_roles where rolname = :role and (rolreplication or rolsuper) and rolcanlogin)
         as role_replicates,
       exists(select from pg_publication where pubname = '{PUBLICATION}') as published,
       exists(select from pg_publication p
               where pubname = '{PUBLICATION}' and pubviaroot and pubinsert and not puballtables
                 and not (pubupdate or pubdelete or pubtruncate)
                 and array(select c.oid::regclass::text from pg_publication_rel l join pg_class c on c.oid = l.prrelid
                            where l.prpubid = p.oid and l.prqual is null and l.prattrs is null) = '{{stock_event}}'
                 and not exists(select from pg_publication_namespace n where n.pnpubid = p.oid)) as published_so
  from pg_roles r where r.rolname = current_user
""")
"""Whether we may make a role that replicates: PostgreSQL 16 lets who has both rights itself, before only superusers."""


class Found(NamedTuple):
    us: str
    database: str
    schema: str
    wal_level: str
    may_publish: bool
    may_make_roles: bool
    role_exists: bool
    role_replicates: bool
    published: bool
    published_so: bool


class SetUp(NamedTuple):
    """``made``: the role is new, and nobody gets in by a password yet. ``replicates``: whether the role may."""

    role: str
    made: bool
    replicates: bool
    wal_level: str


def set_up(connection: Connection, role: str, say: Say) -> SetUp:
    """All of it or nothing; what is there already stays. Raises CdcRefused, MigrationStopped, NotOwner."""
    row: Any = connection.execute(_FOUND, {"role": role}).one()
    found = Found(*row)
    statements = statements_for(found, role)
    does = f"publication {PUBLICATION}, inserts of stock_event alone; role {role}, which may read that table"
    run(connection, "cdc", (Change(does, statements, {"stock_event": Lock.SHARE_UPDATE_EXCLUSIVE}),), say)
    return SetUp(role, not found.role_exists, found.role_replicates or found.may_make_roles, found.wal_level)


def statements_for(found: Found, role: str) -> tuple[str, ...]:
    """Raises CdcRefused."""
    if not found.role_exists and not found.may_make_roles:
        raise CdcRefused(
            f"{found.us} may not make a role that replicates: run `create role {role} login replication` as a"
            " superuser (a managed database has its own way), then this again"
        )
    if not found.may_publish:
        raise CdcRefused(
            f'{found.us} may not make a publication: run `grant create on database {found.database} to "{found.us}"` as'
            " the owner of the database, then this again"
        )
    quoted = '"' + role.replace('"', '""') + '"'
    return (
        *_role(found, quoted),
        # Whatever else has that name would tell Debezium more than it may know, or less than it needs.
        *([f"drop publication {PUBLICATION}"] if found.published and not found.published_so else []),
        *([] if found.published_so else [_PUBLISH]),
        # Which everybody has, unless somebody took it away
        f"grant connect on database {found.database} to {quoted}",
        f"grant usage on schema {found.schema} to {quoted}",
        f"grant select on stock_event to {quoted}",
    )


def _role(found: Found, quoted: str) -> list[str]:
    if not found.role_exists:
        return [f"create role {quoted} login replication"]
    return [] if found.role_replicates or not found.may_make_roles else [f"alter role {quoted} login replication"]
