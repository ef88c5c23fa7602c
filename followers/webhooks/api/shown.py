"""Endpoints and attempts as the API shows them."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from followers.webhooks.endpoints import Attempt, Endpoint, Standing
from followers.webhooks.key_ring import SigningKey
from followers.webhooks.signature import AsymmetricKey

UNOPENED = "is sent nothing: no sealing key here opens its secret, put the key that sealed it back, or rotate"


def shown(endpoint: Endpoint, *, signs: bool = True) -> dict[str, Any]:
    """``signs``: whether its keys can be opened here; nothing is sent that cannot be signed."""
    reason = endpoint.reason or (None if signs else UNOPENED)
    return {**asdict(endpoint), "reason": reason, "created_at": moment(endpoint.created_at)}


def shown_with_standing(endpoint: Endpoint, standing: Standing, *, signs: bool) -> dict[str, Any]:
    since = standing.failing_since
    return {
        **shown(endpoint, signs=signs),
        "levels_behind": standing.levels_behind,
        "failing_since": None if since is None else moment(since),
    }


def shown_key(key: SigningKey, *, ours: bool) -> dict[str, Any]:
    """What the receiver needs, this once: a secret that was made here, or the public half of a pair. A secret that the
    caller sent is not sent back."""
    if isinstance(key, AsymmetricKey):
        return {"signature": "v1a", "secret": None, "public_key": key.public_text}
    return {"signature": "v1", "secret": key.text if ours else None, "public_key": None}


def shown_attempt(attempt: Attempt) -> dict[str, Any]:
    return {**asdict(attempt), "at": moment(attempt.at)}


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
