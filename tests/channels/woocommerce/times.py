"""Dates as WooCommerce writes them: whole seconds, without a zone, once in the site's and once in UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone

from tests.channels.woocommerce.errors import wrong_parameter

PLAIN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


class Clock:
    """Of a site so many hours ahead of UTC."""

    def __init__(self, hours: float) -> None:
        self._site = timezone(timedelta(hours=hours))

    def both(self, name: str, at: float | None) -> dict[str, str | None]:
        """``name`` and ``name_gmt``."""
        return {name: self._text(at, self._site), f"{name}_gmt": self._text(at, UTC)}

    def second(self, name: str, text: str, *, gmt: bool) -> int:
        """Since 1970. Raises Wrong."""
        if not PLAIN.fullmatch(text):
            raise wrong_parameter("parameter", name, "Invalid date.")
        zone = UTC if gmt else self._site
        return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())

    def _text(self, at: float | None, zone: timezone) -> str | None:
        return None if at is None else f"{datetime.fromtimestamp(int(at), zone):%Y-%m-%dT%H:%M:%S}"
