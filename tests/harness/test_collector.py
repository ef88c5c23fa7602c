"""What was read before the first test is walked over again by no look for garbage."""

import gc


def test_what_was_read_is_left_out_and_the_collector_works_again() -> None:
    assert gc.get_freeze_count() > 10_000
    assert gc.isenabled()
