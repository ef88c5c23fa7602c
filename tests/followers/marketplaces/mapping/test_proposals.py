"""What could be mapped: never more than a proposal, and the strongest kind alone."""

import pytest

from followers.marketplaces.mapping.proposals import KnownSkus, Unmapped

KNOWN = KnownSkus(["A-100", "B 200", "b200", "C-300", "C-301"], {"C-300": ["4006"], "C-301": ["4006"], "A-100": ["1"]})


@pytest.mark.parametrize(
    ("sku", "barcode", "expected"),
    [
        ("A-100", "", [("A-100", "sku")]),
        ("A-100", "4006", [("A-100", "sku")]),
        ("X", "1", [("A-100", "barcode")]),
        ("X", "4006", [("C-300", "barcode"), ("C-301", "barcode")]),
        ("a-100", "", [("A-100", "similar")]),
        (" A-100 ", "", [("A-100", "similar")]),
        ("B200", "", [("B 200", "similar"), ("b200", "similar")]),
        ("A100", "", []),
        ("", "", []),
        ("X", "", []),
    ],
)
def test_an_equal_sku_goes_before_a_barcode_and_that_before_likeness(
    sku: str, barcode: str, expected: list[tuple[str, str]]
) -> None:
    assert [(one.sku, one.by) for one in KNOWN.proposals(Unmapped("1", sku, barcode, ""))] == expected
