"""Why a migration ends without having done its work. The message is one line, with what to do.

MigrationStopped        it could not go on now; what was done stands, and running it again goes on from there
MigrationRefused        it may not be done as things are, and nothing was done
├── NotExpanded         a contract before its expand
├── OlderLedgers        living
├── TooOld              this version is older than what the database bears
├── Newer               a contract by a version that does not know the whole schema
├── Foreign             revision; the tables are another program's
├── CdcRefused          what the role may not make, and the SQL for somebody who may
└── NotOwner            the role may not change the tables
"""

from ledger.migrations.schema import Ledger, Schema, too_old


class MigrationStopped(Exception):
    """It could not go on now. What was done stands, and running it again goes on from there."""


class MigrationRefused(Exception):
    """It may not be done as things are, and nothing was done."""


class NotExpanded(MigrationRefused):
    """A contract was asked for before its expand."""

    def __init__(self) -> None:
        super().__init__("the database is not expanded to this version's schema: run `stockwire migrate` first")


class OlderLedgers(MigrationRefused):
    """A contract was asked for while ledgers live that it would not bear. ``living``: their connections."""

    NAMED_MAX = 3

    def __init__(self, since: str, living: list[str]) -> None:
        self.living = living
        more = len(living) - self.NAMED_MAX
        names = ", ".join(living[: self.NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
        super().__init__(
            f"ledgers that do not know what {since} knows are connected: {names or 'they were seen a moment ago'}."
            " Upgrade or stop them, then run this again"
        )


class TooOld(MigrationRefused):
    def __init__(self, ours: Ledger, schema: Schema) -> None:
        super().__init__(too_old(ours, schema))


class Newer(MigrationRefused):
    def __init__(self, ours: Ledger, schema: Schema) -> None:
        super().__init__(
            f"the database has schema {schema.revision}, and stockwire {ours.version} knows schemas up to {ours.knows}:"
            " contract it with the version that expanded it"
        )


class Foreign(MigrationRefused):
    """Alembic keeps another program's migrations there: ``revision``."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        super().__init__(
            f"the database holds another program's tables (its alembic_version says {revision}):"
            " name a database of its own"
        )


class CdcRefused(MigrationRefused):
    """The role may not make what Debezium needs; the message has the SQL for somebody who may."""


class NotOwner(MigrationRefused):
    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}: run this as the role that owns the database's tables, or that may create them in an empty one"
        )
