"""Streams of client frames: valid ones, and what chance makes of them. One seed is one stream, for ever."""

import random
from collections.abc import Callable

from tests.conformance.frames import MESSAGE_BYTES_MAX, request
from tests.harness.raw_socket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, raw_frame

Frames = list[bytes]
WORDS = ("", "x" * 30, "κόσμε", "😀" * 40, "\u0378\ufffe", 'quote " and \\', "x" * 200)
CODES = (1000, 1001, 1002, 1005, 1006, 1012, 1014, 1015, 2999, 3000, 4000, 4999, 5000)


def stream(seed: str) -> bytes:
    chance = random.Random(seed)
    frames: Frames = []
    for number in range(chance.randint(1, 6)):
        frames += chance.choices(ITEMS, WEIGHTS)[0](chance, number)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        frames = chance.choice(MUTATIONS)(chance, frames)
    return b"".join(frames)


def _message(chance: random.Random, number: int) -> Frames:
    """Whole or in fragments, with control frames between them."""
    size = chance.choice((0, 0, 0, 125, 126, 127, 1_000, 65_535)) if chance.random() < 0.3 else 0
    payload = request(number, chance.choice(WORDS), size)
    cuts = sorted(chance.randrange(len(payload) + 1) for _ in range(chance.choice((0, 0, 1, 2, 5))))
    parts = [payload[start:end] for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    frames: Frames = []
    for index, part in enumerate(parts):
        frames.append(_frame(chance, CONTINUATION if index else TEXT, part, final=index == len(parts) - 1))
        if chance.random() < 0.2:
            frames += _control(chance, number)
    return frames


def _control(chance: random.Random, _number: int) -> Frames:
    return [_frame(chance, chance.choice((PING, PONG)), chance.randbytes(chance.choice((0, 1, 20, 125))))]


def _binary(chance: random.Random, _number: int) -> Frames:
    return [_frame(chance, BINARY, chance.randbytes(10))]


def _close(chance: random.Random, _number: int) -> Frames:
    body = chance.choice(CODES).to_bytes(2, "big") + chance.choice((b"", b"bye", "ü".encode(), b"\xff"))
    return [_frame(chance, CLOSE, chance.choice((b"", body[:1], body, body, body)))]


def _huge(chance: random.Random, number: int) -> Frames:
    """Around the limit, in two fragments with a ping between: what is left may be less than the ping."""
    payload = request(number, size=MESSAGE_BYTES_MAX + chance.choice((-1, 0, 1, 60, 200)))
    cut = len(payload) - chance.choice((1, 60, 500))
    ping = _frame(chance, PING, bytes(100))
    return [
        _frame(chance, TEXT, payload[:cut], final=False),
        *([ping] if chance.random() < 0.5 else []),
        _frame(chance, CONTINUATION, payload[cut:]),
    ]


ITEMS: tuple[Callable[[random.Random, int], Frames], ...] = (_message, _control, _binary, _close, _huge)
WEIGHTS = (60, 25, 3, 10, 2)


def _frame(chance: random.Random, opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    return raw_frame(opcode, payload, final=final, mask=chance.randbytes(4))


# what chance does to them


def _flip_in_head(chance: random.Random, frames: Frames) -> Frames:
    return _changed(chance, frames, lambda frame: _flipped(chance, frame, min(2, len(frame))))


def _flip_anywhere(chance: random.Random, frames: Frames) -> Frames:
    return _changed(chance, frames, lambda frame: _flipped(chance, frame, len(frame)))


def _cut_frame(chance: random.Random, frames: Frames) -> Frames:
    return _changed(chance, frames, lambda frame: frame[: chance.randrange(len(frame) + 1)])


def _insert_bytes(chance: random.Random, frames: Frames) -> Frames:
    def inserted(frame: bytes) -> bytes:
        place = chance.randrange(len(frame) + 1)
        return frame[:place] + chance.randbytes(chance.choice((1, 2, 8))) + frame[place:]

    return _changed(chance, frames, inserted)


def _longer_length(chance: random.Random, frames: Frames) -> Frames:
    """The same frame, with its length in more bytes than it needs; now and then with the highest bit set."""

    def longer(frame: bytes) -> bytes:
        short = frame[1] & 0x7F if len(frame) > 1 else 127
        if short > 125:
            return frame
        width = chance.choice((2, 8))
        length = short | (1 << 63 if width == 8 and chance.random() < 0.2 else 0)
        return (
            bytes((frame[0], (frame[1] & 0x80) | (126 if width == 2 else 127)))
            + length.to_bytes(width, "big")
            + frame[2:]
        )

    return _changed(chance, frames, longer)


def _drop(chance: random.Random, frames: Frames) -> Frames:
    gone = chance.randrange(max(1, len(frames)))
    return [frame for index, frame in enumerate(frames) if index != gone]


def _repeat(chance: random.Random, frames: Frames) -> Frames:
    return [*frames, chance.choice(frames)] if frames else frames


def _shuffle(chance: random.Random, frames: Frames) -> Frames:
    return chance.sample(frames, len(frames))


def _append_noise(chance: random.Random, frames: Frames) -> Frames:
    return [*frames, chance.randbytes(chance.randint(1, 40))]


def _changed(chance: random.Random, frames: Frames, change: Callable[[bytes], bytes]) -> Frames:
    at = chance.randrange(max(1, len(frames)))
    return [change(frame) if index == at else frame for index, frame in enumerate(frames)]


def _flipped(chance: random.Random, frame: bytes, within: int) -> bytes:
    if not within:
        return frame
    at = chance.randrange(within)
    return frame[:at] + bytes((frame[at] ^ 1 << chance.randrange(8),)) + frame[at + 1 :]


MUTATIONS: tuple[Callable[[random.Random, Frames], Frames], ...] = (
    _flip_in_head,
    _flip_in_head,
    _flip_anywhere,
    _cut_frame,
    _insert_bytes,
    _longer_length,
    _drop,
    _repeat,
    _shuffle,
    _append_noise,
)
