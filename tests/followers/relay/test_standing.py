import pytest

from followers.relay.message import Checkpoint
from followers.relay.standing import attributes_in, checkpoint_of
from tests.followers.relay.batches import event
from tests.wire.streams.attributes import change, complete, level, rewritten
from wire import envelope

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


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b"null", b"{"])
def test_a_body_of_somebody_else_has_no_attributes(body: bytes) -> None:
    assert attributes_in(body) == {}
