"""However many notices are turned away, one line a minute says so."""

import pytest

from followers.marketplaces.orders.refusals import CHANNELS_MAX, EVERY_S, Refusals


def test_of_many_refusals_the_first_is_said_and_the_rest_counted(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    refusals = Refusals(lambda: now_s)
    for _ in range(1_000):
        refusals.add("web", "is refused: another secret")
    refusals.add("ebay", "is refused: no signature")
    assert caplog.messages == [
        "a notice is turned away channel='web' reason='is refused: another secret' unsaid=0",
        "a notice is turned away channel='ebay' reason='is refused: no signature' unsaid=0",
    ]
    caplog.clear()
    now_s = EVERY_S
    refusals.add("web", "is refused: another secret")
    assert caplog.messages == ["a notice is turned away channel='web' reason='is refused: another secret' unsaid=999"]


def test_names_that_strangers_make_up_fill_neither_memory_nor_log(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals(lambda: 0.0)
    for number in range(3 * CHANNELS_MAX):
        refusals.add(f"channel-{number}", "is not taken now: it took too long")
    assert len(caplog.messages) == CHANNELS_MAX + 1
    assert (
        caplog.messages[-1]
        == "a notice is turned away channel='(others)' reason='is not taken now: it took too long' unsaid=0"
    )
