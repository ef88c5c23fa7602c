"""What operators see of a shard: also while its broker is away and nothing is read."""

from followers.relay.progress import Progress


def test_a_backlog_is_told_as_it_was_when_the_broker_went_away() -> None:
    """Of one that stood by then, and owed nothing."""
    progress = Progress(0)
    progress.seen(5, 5, 100.0)
    assert (progress.behind, progress.behind_s(105.0)) == (0, 0.0)
    progress.waits(5, 105.0)
    assert (progress.behind, progress.behind_s(107.0)) == (0, 0.0)
    progress.waits(7, 110.0)
    progress.waits(9, 120.0)
    assert (progress.behind, progress.behind_s(130.0)) == (4, 20.0)
    progress.seen(9, 9, 140.0)
    assert (progress.behind, progress.behind_s(150.0)) == (0, 0.0)
