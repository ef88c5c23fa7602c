"""Channels, listings and vendors as the API shows them."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from followers.marketplaces.adapter import Adapter
from followers.marketplaces.channels import Channel


def shown(channel: Channel) -> dict[str, Any]:
    """Without its credentials."""
    found = {**asdict(channel), "share": float(channel.share)}
    return {name: _shown(value) for name, value in found.items()}


def shown_row(row: Any) -> dict[str, Any]:
    """A frozen dataclass."""
    return {name: _shown(value) for name, value in asdict(row).items()}


def shown_vendor(name: str, adapter: type[Adapter]) -> dict[str, Any]:
    return {
        "vendor": name,
        "settings": dict(adapter.settings),
        "optional": dict(adapter.optional),
        "credentials": dict(adapter.credentials),
        "optional_credentials": dict(adapter.optional_credentials),
        "batch": adapter.batch,
        "compares": adapter.compares,
    }


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    return dict(value) if isinstance(value, Mapping) else value
