"""Entity tags: whether somebody has what would be answered."""

from starlette.requests import Request


def holds(request: Request, etag: str) -> bool:
    """RFC 9110, 13.1.2: a weak comparison with each entity tag that ``If-None-Match`` lists."""
    tags = [tag.strip() for value in request.headers.getlist("If-None-Match") for tag in value.split(",")]
    return any(tag == "*" or tag.removeprefix("W/") == etag.removeprefix("W/") for tag in tags)
