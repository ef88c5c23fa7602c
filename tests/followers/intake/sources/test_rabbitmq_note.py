"""What stands in RabbitMQ's queue of attempts, where anybody may put anything."""

import pytest

from followers.intake.sources.rabbitmq import note_in


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (b'["e3b0c4", 2]', ("e3b0c4", 2)),
        *((text, ("", 0)) for text in (b"5", b"null", b"not JSON", b"[1]", b'["e3b0c4", "2"]', b'{"a": 1, "b": 2}')),
    ],
)
def test_a_note_of_somebody_else_ends_the_intake(text: bytes, note: tuple[str, int]) -> None:
    assert note_in(text) == note
