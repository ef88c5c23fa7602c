"""Names of time zones in files. Pure but for the computer's own table of zones."""

from collections.abc import Mapping
from datetime import tzinfo

from stockwire.importing.errors import UnreadableFile
from stockwire.importing.options import zone_named

_SPOKEN: Mapping[str, str] = {
    "Hawaii": "Pacific/Honolulu",
    "Alaska": "America/Juneau",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Arizona": "America/Phoenix",
    "Mountain Time (US & Canada)": "America/Denver",
    "Central Time (US & Canada)": "America/Chicago",
    "Saskatchewan": "America/Regina",
    "Eastern Time (US & Canada)": "America/New_York",
    "Indiana (East)": "America/Indiana/Indianapolis",
    "Atlantic Time (Canada)": "America/Halifax",
    "Newfoundland": "America/St_Johns",
    "Puerto Rico": "America/Puerto_Rico",
    "London": "Europe/London",
    "Dublin": "Europe/Dublin",
    "Paris": "Europe/Paris",
    "Madrid": "Europe/Madrid",
    "Tokyo": "Asia/Tokyo",
    "Perth": "Australia/Perth",
    "Darwin": "Australia/Darwin",
    "Brisbane": "Australia/Brisbane",
    "Adelaide": "Australia/Adelaide",
    "Sydney": "Australia/Sydney",
    "Melbourne": "Australia/Melbourne",
    "Hobart": "Australia/Hobart",
}
"""As Square writes them (the names of Rails' ActiveSupport::TimeZone) in the countries where it is sold."""


def spoken_zone(name: str) -> tzinfo | None:
    """None for a name that is no zone."""
    try:
        return zone_named(_SPOKEN.get(name, name))
    except UnreadableFile:
        return None
