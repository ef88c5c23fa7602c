"""Which route a request is for, told by its method and path alone, before anything is routed and where nothing is."""

import re
from collections.abc import Iterable

from starlette.routing import BaseRoute, Route

NO_ROUTE = ("other", "other")
"""A path, or a method of a path, that there is not: whatever is asked for, it is one."""


class RouteTemplates:
    """``of``: the method and the route as it is documented, ``/v1/levels/{location}/{sku}``; there are few of both."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        """In their order: the first that fits is the one that answers."""
        templates: dict[str, list[str]] = {}
        for route in routes:
            if isinstance(route, Route):
                for method in route.methods or ():
                    templates.setdefault(method, []).append(route.path)
        self._templates = {method: [(method, path) for path in paths] for method, paths in templates.items()}
        self._patterns = {method: _one_of(paths) for method, paths in templates.items()}

    def of(self, method: str, path: str) -> tuple[str, str]:
        pattern = self._patterns.get(method)
        found = pattern.fullmatch(path) if pattern is not None else None
        return self._templates[method][found.lastindex - 1] if found and found.lastindex else NO_ROUTE


def _one_of(paths: Iterable[str]) -> re.Pattern[str]:
    """A group for each of them."""
    return re.compile("|".join(f"({re.sub(r'{[^}]+}', '[^/]+', path)})" for path in map(_escaped, paths)))


def _escaped(path: str) -> str:
    return re.escape(path).replace(r"\{", "{").replace(r"\}", "}")
