"""What comes behind a position, of a page that was read."""

from followers.log.follower import Page


def test_what_is_behind_is_found_in_a_log_with_a_gap_too() -> None:
    page = Page("e", 0, 9, [{"seq": seq} for seq in (3, 4, 8, 9)])
    behind = {seq: [event["seq"] for event in page.behind(seq)] for seq in (0, 3, 4, 6, 8, 9)}
    assert behind == {0: [3, 4, 8, 9], 3: [4, 8, 9], 4: [8, 9], 6: [8, 9], 8: [9], 9: []}
    assert Page("e", 0, 9, []).behind(0) == []
