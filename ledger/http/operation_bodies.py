"""Bodies of requests about many operations: their fields, every bound on them, and what is said of a wrong one."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ledger.http.bodies import (
    REASONS,
    Body,
    Moment,
    Movement,
    Text,
    Units,
    Version,
    check_lines,
    check_moment,
    names_of,
)
from ledger.limits import LINES_MAX
from server.http.body import decoded
from server.problems import Invalid
from wire.messages import Name

OPERATIONS_MAX = 1000
"""Operations of one request, and keys of one query."""
KEY_PATTERN = r"^[\x21\x23-\x7e][\x21-\x7e]{0,199}\Z"
KEY_PATTERN_REASON = "must be 1 to 200 visible ASCII characters, not beginning with a quote"
"""In a body a key stands bare; only as a header may it be quoted."""

OperationKey = Annotated[str, Meta(pattern=KEY_PATTERN)]


class LevelCount(Body, frozen=True):
    """A count among other operations: nothing can be said by If-Match, so ``expected_version`` is required."""

    sku: Name
    location: Name
    on_hand: Units
    expected_version: Version | None
    reference: Text | None = None
    reason: Text | None = None
    occurred_at: Moment | None = None


class KeyedOperation(Body, frozen=True):
    """Either ``lines`` or ``count``."""

    key: OperationKey
    lines: Annotated[list[Movement], Meta(min_length=1, max_length=LINES_MAX)] | UnsetType = UNSET
    count: LevelCount | UnsetType = UNSET


class Operations(Body, frozen=True):
    """``events``: whether results have what was done, as ``/v1/movements`` answers."""

    operations: Annotated[list[KeyedOperation], Meta(min_length=1, max_length=OPERATIONS_MAX)]
    events: bool = False


class OperationKeys(Body, frozen=True):
    keys: Annotated[list[OperationKey], Meta(min_length=1, max_length=OPERATIONS_MAX)]


def operations(body: bytes, lines_max: int = LINES_MAX) -> Operations:
    """Raises Invalid: one operation that is wrong spoils the request, before anything of it is booked."""
    found = decoded(_operations, body, _REASONS, _names_of)
    keys: set[str] = set()
    lines = 0
    for number, operation in enumerate(found.operations):
        path = f"operations[{number}]."
        if operation.key in keys:
            raise Invalid(f"{path}key", "stands in this request twice")
        keys.add(operation.key)
        if (operation.lines is UNSET) == (operation.count is UNSET):
            raise Invalid(f"{path}lines", "is required, or count; not both")
        if operation.lines is not UNSET:
            check_lines(operation.lines, lines_max, path)
            lines += len(operation.lines)
        if operation.count is not UNSET:
            check_moment(operation.count.occurred_at, f"{path}count.occurred_at")
            lines += 1
    if lines > LINES_MAX:
        raise Invalid("operations", f"must have at most {LINES_MAX} lines in all")
    return found


def _names_of(read: Operations) -> int:
    """Without those of counts."""
    asked = read.operations
    return 1 + read.events + 2 * len(asked) + sum(names_of(one.lines) for one in asked if one.lines is not UNSET)


def operation_keys(body: bytes) -> list[str]:
    """Raises Invalid."""
    return decoded(_operation_keys, body, _REASONS).keys


_operations = msgspec.json.Decoder(Operations)
_operation_keys = msgspec.json.Decoder(OperationKeys)
_REASONS = {**REASONS, KEY_PATTERN: KEY_PATTERN_REASON}
