"""The figures that the README names; its programs run in tests/cli/test_readmes.py."""

from hub.limits import Limits
from ledger.limits import BODY_BYTES_MAX, LINES_MAX
from tests.docs.pages import text_of
from tests.harness.source import ROOT

README = ROOT / "README.md"


def test_the_limits_are_the_defaults() -> None:
    limits = Limits()
    sentence = (
        f"Per request {BODY_BYTES_MAX // 1024} KiB and {LINES_MAX:,} lines; per stream connection "
        f"{limits.subscriptions_max} subscriptions of up to {limits.skus_max:,} skus (or whole locations), messages of "
        f"{limits.message_bytes_max // 1024} KiB, {limits.messages_per_minute} a minute after a burst of "
        f"{limits.messages_burst}."
    )
    assert sentence in " ".join(text_of(README).split())
