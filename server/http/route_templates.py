"""Which route a request is for, told by its method and path alone, before anything is routed and where nothing is."""

import re
from collections.abc import Iterable

from starlette.routing import BaseRoute, Route

Template = tuple[str, str]
"""A method and a route as it is documented, ``GET`` and ``/v1/levels/{location}/{sku}``."""

NO_ROUTE: Template = ("other", "other")
"""A path, or a method of a path, that there is not: whatever is asked for, it is one."""


class RouteTemplates:
    """Those of ``routes``, of which the first that fits is the one that answers. There are few, whatever is asked."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        known = [(method, route.path) for route in routes if isinstance(route, Route) for method in route.methods or ()]
        self._plain = {template: template for template in known if "{" not in template[1]}
        self._named: dict[str, list[Template]] = {}
        for template in known:
            if template not in self._plain:
                self._named.setdefault(template[0], []).append(template)
        self._patterns = {method: _one_of(path for _, path in named) for method, named in self._named.items()}

    def of(self, method: str, path: str) -> Template:
        """Most ask for a path without a name in it, which costs one look; all that have one are tried at once."""
        return self._plain.get((method, path)) or self._of_named(method, path)

    def _of_named(self, method: str, path: str) -> Template:
        pattern = self._patterns.get(method)
        found = pattern.fullmatch(path) if pattern is not None else None
        return self._named[method][found.lastindex - 1] if found and found.lastindex else NO_ROUTE


def _one_of(paths: Iterable[str]) -> re.Pattern[str]:
    """A group for each of them. A name has no slash."""
    return re.compile("|".join(f"({'[^/]+'.join(map(re.escape, re.split('{[^}]+}', path)))})" for path in paths))
