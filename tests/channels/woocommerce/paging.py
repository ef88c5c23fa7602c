"""Pages of lists, and the parameters that ask for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from tests.channels.woocommerce.errors import wrong_parameter

PER_PAGE, PER_PAGE_MAX = 10, 100


def whole(query: Mapping[str, str], name: str, default: int, rule: str, least: int = 1, most: int | None = None) -> int:
    """Raises Wrong."""
    text = query.get(name, str(default))
    number = int(text) if text.isdecimal() else -1
    if number < least or (most is not None and number > most):
        wanted = f"between {least} (inclusive) and {most} (inclusive)" if most else f"greater than or equal to {least}"
        raise wrong_parameter(rule, name, f"{name} must be {wanted}")
    return number


def one_of(query: Mapping[str, str], name: str, *values: str) -> str:
    """The first is the default. Raises Wrong."""
    value = query.get(name, values[0])
    if value not in values:
        raise wrong_parameter("parameter", name, f"{name} is not one of {', '.join(values)}.")
    return value


def ids(query: Mapping[str, str], name: str) -> set[int] | None:
    """A list parted by commas; None if it is not asked for."""
    if name not in query:
        return None
    parts = query[name].split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise wrong_parameter("parameter", name, f"{name}[0] is not of type integer.")
    return {int(part) for part in parts}


def page_of(request: Request, found: Sequence[Any]) -> JSONResponse:
    query = request.query_params
    per_page = whole(query, "per_page", PER_PAGE, "page", most=PER_PAGE_MAX)
    page = whole(query, "page", 1, "page")
    start = whole(query, "offset", per_page * (page - 1), "page", least=0)
    pages = -(-len(found) // per_page)
    links = []
    if page > 1:
        links.append(f'<{request.url.include_query_params(page=min(page - 1, pages))}>; rel="prev"')
    if page < pages:
        links.append(f'<{request.url.include_query_params(page=page + 1)}>; rel="next"')
    headers = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)}
    if links:
        headers["Link"] = ", ".join(links)
    return JSONResponse(found[start : start + per_page], headers=headers)
