"""What is said of a fault: never that all is well when a part is away or screens were late."""

from dataclasses import replace

from cli.flash_sale.outage import Outage

HEALED = Outage(
    part="hub-1", done="killed (SIGKILL)", lasted_s=2.0, views=4, equal=4, levels=9, healed_s=3.0, longest_lag_ms=None
)


def test_a_part_that_did_not_come_back_is_named_whatever_the_screens_do() -> None:
    assert HEALED.text().startswith("✓ hub-1 killed (SIGKILL), back after 2.00 s")
    away = replace(HEALED, lasted_s=None).text()
    assert away.startswith("✗ hub-1 killed (SIGKILL): hub-1 did not come back within 60 s")
    assert "4 of 4 screens have healed" in away


def test_screens_that_never_healed_or_healed_late_are_no_success() -> None:
    assert "only 3 of 4 screens have healed" in replace(HEALED, equal=3, healed_s=None).text()
    assert replace(HEALED, healed_s=12.1).text().startswith("✗")
