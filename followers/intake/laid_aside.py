"""A dead message in a form that its broker takes: as it came, with its problem. What does not fit is left out, and the
problem says how much. Pure.
"""

import json
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from followers.intake.answering import Problem

PROBLEM_HEADER = "stockwire-problem"
"""Of a message in ``dead``, beside its own: the problem document."""
PROBLEM_CHARACTERS_MAX = 4_096
OURS_BYTES = len(PROBLEM_HEADER) + 16
"""Of it beside its text, at any broker."""
LEFT_OUT = "left_out"
"""Of the problem document in ``dead``: what the message has no more."""
Value = TypeVar("Value")
Headers = Sequence[tuple[str, Value]]


class LaidAside(NamedTuple, Generic[Value]):
    """``headers``: those that came. ``problem``: the text of ``PROBLEM_HEADER``, ASCII."""

    headers: Headers[Value]
    body: bytes
    problem: str


def laid_aside(
    headers: Headers[Value],
    body: bytes,
    problem: Problem,
    size_of: Callable[[str, Value], int],
    headers_bytes_max: int,
    bytes_max: int,
) -> LaidAside[Value]:
    """``size_of``: of a header at that broker, 0 of one that cannot be written as it came. ``bytes_max``: of headers
    and body. Where it does not fit with its problem, the largest headers are left out until the others do, and the
    body, whole, if there is no room for it beside them.

    >>> laid_aside([("a", "1"), ("b", "x" * 70_000)], b"{}", {"type": "invalid"}, size_as_line, 65_000, 2**20).problem
    '{"type": "invalid", "left_out": "1 header of 70,005 bytes"}'
    """
    own = [one for one in headers if one[0] != PROBLEM_HEADER]
    sizes = [size_of(*one) for one in own]
    text = problem_text(problem)
    taken = OURS_BYTES + len(text) + sum(sizes)
    if all(sizes) and taken <= headers_bytes_max and taken + len(body) <= bytes_max:
        return LaidAside(own, body, text)
    ours = OURS_BYTES + PROBLEM_CHARACTERS_MAX
    kept = _smallest(sizes, min(headers_bytes_max, bytes_max) - ours)
    said = _said_of([size for number, size in enumerate(sizes) if number not in kept])
    if ours + sum(sizes[number] for number in kept) + len(body) > bytes_max:
        said.append(f"the body of {len(body):,} bytes")
        body = b""
    fitting = [one for number, one in enumerate(own) if number in kept]
    return LaidAside(fitting, body, problem_text(lacking(problem, said)) if said else text)


def _said_of(left: Sequence[int]) -> list[str]:
    """Of headers of these sizes that are left out."""
    large = [size for size in left if size]
    counted = {
        f"of {sum(large):,} bytes": len(large),
        "that cannot be written again": len(left) - len(large),
    }
    return [f"{many:,} header{'s' * (many > 1)} {which}" for which, many in counted.items() if many]


def _smallest(sizes: Sequence[int], room: int) -> set[int]:
    """Which of those with a size fit into it, the smallest first."""
    kept = set()
    for size, number in sorted((size, number) for number, size in enumerate(sizes) if size):
        room -= size
        if room < 0:
            break
        kept.add(number)
    return kept


def lacking(problem: Problem, said: Sequence[str]) -> Problem:
    """The problem, which says besides what is not there.

    >>> lacking(lacking({}, ["the key of 2 bytes"]), ["the body of 3 bytes"])
    {'left_out': 'the key of 2 bytes, the body of 3 bytes'}
    """
    return {**problem, LEFT_OUT: ", ".join([problem[LEFT_OUT], *said] if LEFT_OUT in problem else said)}


def size_as_line(name: str, value: str) -> int:
    """Of a header that is one line of text."""
    return len(f"{name}: {value}\r\n".encode())


def problem_text(problem: Problem) -> str:
    """For a header: ASCII alone; what is longer than headers should be loses its details.

    >>> problem_text({"type": "invalid", "field": "größe"})
    '{"type": "invalid", "field": "gr\\\\u00f6\\\\u00dfe"}'
    """
    text = json.dumps(problem)
    if len(text) <= PROBLEM_CHARACTERS_MAX:
        return text
    kept = {"type": 100, "title": 100, "status": 100, LEFT_OUT: 200}
    return json.dumps({name: str(problem[name])[:most] for name, most in kept.items() if name in problem})
