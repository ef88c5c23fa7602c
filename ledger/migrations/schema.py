"""Which ledger may work on which schema.

A database says two revisions: the one it has been expanded to, and the oldest that a ledger must know to be right on
it. A ledger has two as well: the newest that it knows, and the oldest that it needs.
"""

from dataclasses import dataclass

NEEDS = "0004"
"""The oldest schema on which this version's ledger is right."""
BORNE = "0003"
"""The schema that ledgers of the version before know: who is older is not promised to be borne."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database says. ``bears``: a ledger must know at least this; ``bears_version``: who first did."""

    revision: str
    bears: str
    bears_version: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a ledger says. ``knows``: its own newest migration."""

    version: str
    knows: str
    needs: str = NEEDS

    def is_too_old_for(self, schema: Schema) -> bool:
        """The database was contracted: what this ledger wrote there would be wrong."""
        return self.knows < schema.bears

    def is_too_new_for(self, schema: Schema | None) -> bool:
        """The database was not expanded yet. None: it has no tables."""
        return schema is None or schema.revision < self.needs


def too_old(ledger: Ledger, schema: Schema) -> str:
    return (
        f"stockwire {ledger.version} knows schemas up to {ledger.knows}, and this database was contracted for"
        f" {schema.bears_version} and later (schema {schema.revision}): start {schema.bears_version} or later"
    )


def too_new(ledger: Ledger, schema: Schema | None) -> str:
    has = "has no tables yet" if schema is None else f"has schema {schema.revision}"
    return f"the database {has}, and stockwire {ledger.version} needs {ledger.needs}: run `stockwire migrate`"
