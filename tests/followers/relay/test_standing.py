import pytest

from followers.relay.message import Checkpoint
from followers.relay.standing import attributes_in, checkpoint_of, level_seq_of, standing_in_all
from tests.followers.relay.batches import event
from tests.wire.streams.attributes import change, complete, level, rewritten
from wire import envelope
from wire.envelope import LEVEL

SOURCE, EPOCH = "/stockwire/test", "a.1"
"""Nothing says that an epoch has no dots."""
EVENT = {**event(9, "shirt.level", shard=3), "location": "berlin.1"}


@pytest.mark.parametrize(
    ("attributes", "checkpoint"),
    [
        (change(SOURCE, EPOCH, EVENT), Checkpoint(EPOCH, 9)),
        (rewritten(SOURCE, EPOCH, 3, 8), Checkpoint(EPOCH, 8, complete=False, told=40)),
        (level(SOURCE, EPOCH, 3, 8, EVENT), Checkpoint(EPOCH, 8, complete=False, told=40)),
        (complete(SOURCE, EPOCH, 3, 8), Checkpoint(EPOCH, 8)),
    ],
)
def test_what_comes_last_says_where_to_go_on(attributes: envelope.Attributes, checkpoint: Checkpoint) -> None:
    assert checkpoint_of(attributes, 40) == checkpoint
    assert checkpoint_of(attributes_in(envelope.structured(attributes, b"{}")), 40) == checkpoint


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"id": "order-1", "type": "com.example.order", "sequence": "1"},
        {"id": "e1.0.7", "type": "stockwire.stock.sale.v1", "sequence": "٧"},
        {"id": "nothing", "type": envelope.COMPLETE, "sequence": "1"},
    ],
)
def test_a_message_of_somebody_else_is_no_checkpoint(attributes: dict[str, str]) -> None:
    assert checkpoint_of(attributes, 1) is None


@pytest.mark.parametrize(
    ("checkpoint", "told", "stands"),
    [
        (None, None, None),
        (None, Checkpoint("e1", 7), Checkpoint("e1", 7)),
        (None, Checkpoint("e1", 7, complete=False, told=4), Checkpoint("e1", 7, complete=False)),
        (Checkpoint("e1", 7), None, Checkpoint("e1", 7)),
        (Checkpoint("e1", 7), Checkpoint("e1", 7), Checkpoint("e1", 7)),
        (Checkpoint("e1", 6), Checkpoint("e1", 7), Checkpoint("e1", 7)),
        (Checkpoint("e1", 9, levels=3), Checkpoint("e1", 6), Checkpoint("e1", 6, levels=3)),
        (Checkpoint("e2", 7), Checkpoint("e1", 9), Checkpoint("e2", 7, complete=False)),
        (Checkpoint("e1", 7), Checkpoint("e2", 7, complete=False, told=9), Checkpoint("e1", 7, complete=False)),
        (Checkpoint("e2", 7), Checkpoint("e2", 7, complete=False, told=9), Checkpoint("e2", 7, complete=False)),
        (Checkpoint("e2", 7, complete=False), Checkpoint("e2", 7), Checkpoint("e2", 7, complete=False)),
    ],
)
def test_it_goes_on_behind_what_readers_see(
    checkpoint: Checkpoint | None, told: Checkpoint | None, stands: Checkpoint | None
) -> None:
    assert standing_in_all(checkpoint, told, level(SOURCE, "e1", 3, 7, EVENT)) == stands


@pytest.mark.parametrize(
    ("checkpoint", "last_level", "whole"),
    [
        (Checkpoint("e1", 0), {}, True),
        (Checkpoint("e1", 7), {}, False),
        (Checkpoint("e1", 7, levels=7), {}, True),
        (Checkpoint("e1", 7, levels=6), {}, False),
        (Checkpoint("e1", 7), level(SOURCE, "e1", 3, 6, EVENT), False),
        (Checkpoint("e1", 7), level(SOURCE, "e1", 3, 7, EVENT), True),
        (Checkpoint("e2", 7), level(SOURCE, "e1", 3, 7, EVENT), False),
        (Checkpoint("e1", 7), rewritten(SOURCE, "e1", 3, 7), False),
        (Checkpoint("e1", 7, levels_whole=False), level(SOURCE, "e1", 3, 7, EVENT), False),
    ],
)
def test_levels_that_are_behind_are_told_anew(checkpoint: Checkpoint, last_level: dict[str, str], whole: bool) -> None:
    assert standing_in_all(checkpoint, None, last_level) == checkpoint._replace(levels_whole=whole)


@pytest.mark.parametrize("attributes", [{}, {"type": LEVEL}, {"type": LEVEL, "id": "e1.3.level/a", "sequence": "x"}])
def test_a_level_of_somebody_else_says_nothing(attributes: dict[str, str]) -> None:
    assert level_seq_of(attributes, "e1") == 0


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b"null", b"{"])
def test_a_body_of_somebody_else_has_no_attributes(body: bytes) -> None:
    assert attributes_in(body) == {}
