"""How large the body of a request to a ledger may be."""

from collections.abc import Callable

from starlette.types import Scope

LIST_FACTOR = 8
"""Lists may be so many times as large, 2 MiB by default: 2 KiB for each of 1,000 items or operations."""
LISTS = frozenset((("PUT", "/v1/items"), ("PUT", "/v1/locations"), ("POST", "/v1/operations")))


def body_bytes_max(ordinary: int) -> Callable[[Scope], int]:
    """``ordinary``: of every body but lists."""

    def of_request(scope: Scope) -> int:
        return ordinary * LIST_FACTOR if (scope["method"], scope["path"]) in LISTS else ordinary

    return of_request
