"""Which ledger works on which schema: every pair that can meet."""

import pytest

from ledger.migrations.revisions import newest, numbers, revisions
from ledger.migrations.schema import BORNE, NEEDS, Ledger, Schema, too_new, too_old

OURS = Ledger("0.2.0", knows="0004", needs="0003")


@pytest.mark.parametrize(
    ("schema", "old", "new"),
    [
        (None, False, True),
        (Schema("0002", "0002", "0.1.0"), False, True),
        (Schema("0003", "0001", "0.1.0"), False, False),
        (Schema("0004", "0003", "0.1.0"), False, False),
        (Schema("0005", "0004", "0.2.0"), False, False),
        (Schema("0006", "0005", "0.3.0"), True, False),
    ],
)
def test_a_ledger_works_on_anything_between_what_it_needs_and_what_bears_it(
    schema: Schema | None, old: bool, new: bool
) -> None:
    assert OURS.is_too_new_for(schema) is new
    assert (schema is not None and OURS.is_too_old_for(schema)) is old


def test_a_refusal_names_both_versions_and_what_to_do() -> None:
    line = too_old(OURS, Schema("0006", "0005", "0.3.0"))
    assert "0.2.0" in line
    assert "0.3.0 or later" in line
    for schema in (None, Schema("0002", "0002", "0.1.0")):
        line = too_new(OURS, schema)
        assert "0.2.0" in line
        assert "`stockwire migrate`" in line


def test_what_this_version_needs_and_bears_is_among_its_migrations() -> None:
    assert NEEDS in numbers()
    assert BORNE in numbers()
    assert newest() >= NEEDS


def test_every_migration_says_since_when_and_what_a_contract_loses() -> None:
    found = revisions()
    assert [one.number for one in found] == numbers()
    for one in found:
        assert one.since
        assert bool(one.contract) == bool(one.lost)
        for step in (*one.steps(4), *one.contract):
            assert step.does
