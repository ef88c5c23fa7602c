"""What `stockwire watch` prints of availability and of thresholds, in words and as JSON."""

import pytest

from stockwire.availability import Availability
from stockwire.cli.lines import stream_lines
from stockwire.cli.stream_fields import stream_fields
from stockwire.stream import AvailabilityChanged, Freshness, Reconnecting, Snapshot, ThresholdCrossed
from stockwire.threshold import Threshold

FEW = Availability("A", "web", 3, "low", "1+")
LOW = Threshold("A", "berlin", 9, raised=True, available=5)
FULL = Threshold("B", "berlin", 7, raised=False, available=None)


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (Snapshot((FEW,), recovered=False), ["A at web: low, 1+"]),
        (AvailabilityChanged(FEW), ["A at web: low, 1+"]),
        (Snapshot((LOW, FULL), recovered=False), ["A at berlin: raised, 5 available"]),
        (ThresholdCrossed(FULL), ["B at berlin: lowered"]),
        (Freshness(True, 3), []),
        (Freshness(False, 800), ["the hub is behind, 800 ms"]),
        (Reconnecting(2, 0.25, "lost"), ["try 2 in 0.2 s: lost"]),
    ],
)
def test_a_terminal_is_told_in_words(event: object, lines: list[str]) -> None:
    assert stream_lines(event) == lines  # type: ignore[arg-type]  # of all three kinds


def test_programs_are_told_in_the_fields_of_the_protocol() -> None:
    view = {"sku": "A", "location": "web", "version": 3, "availability": "low", "quantity": "1+"}
    threshold = {"sku": "A", "location": "berlin", "version": 9, "raised": True, "available": 5}
    assert stream_fields(AvailabilityChanged(FEW)) == {"type": "view", **view}
    assert stream_fields(ThresholdCrossed(LOW)) == {"type": "threshold", **threshold}
    assert stream_fields(Snapshot((FEW,), recovered=False)) == {
        "type": "snapshot",
        "recovered": False,
        "levels": [view],
    }
