"""The methods of a path, for the header ``Allow`` of a 405."""

from starlette.requests import Request
from starlette.routing import Route


def allowed_methods(request: Request) -> str:
    """Of every route with this path: the router only knows the methods of the first."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = [route.methods or set() for route in routes if route.path_regex.match(request.scope["path"])]
    return ", ".join(sorted(set().union(*found)))
