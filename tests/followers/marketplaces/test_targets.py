"""What a listing shall offer, by its formula."""

from decimal import Decimal

import pytest

from followers.marketplaces.targets import target_of


@pytest.mark.parametrize(
    ("available", "share", "buffer", "safety", "cap", "expected"),
    [
        ([10], "1", 0, 0, None, 10),
        ([10, 5], "1", 2, 3, None, 10),
        ([10], "0.5", 1, 0, None, 4),
        ([3], "0.1", 0, 0, None, 0),
        ([3], "1", 5, 0, None, 0),
        ([100], "1", 0, 0, 7, 7),
        ([100], "1", 0, 0, 0, 0),
        ([10, -4], "1", 0, 0, None, 6),
        ([], "1", 0, 0, None, 0),
        ([29], "0.7", 0, 0, None, 20),
    ],
)
def test_less_safety_and_buffer_times_share_within_floor_and_cap(
    available: list[int], share: str, buffer: int, safety: int, cap: int | None, expected: int
) -> None:
    assert target_of(available, share=Decimal(share), buffer=buffer, safety=safety, cap=cap) == expected
