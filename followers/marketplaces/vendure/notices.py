"""Notices of our plugin for Vendure (deploy/vendure), signed as Standard Webhooks 1.0 has it. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import hashlib
import hmac
from typing import Any

import orjson

from followers.marketplaces.errors import NoticeRefused, SettingRefused
from followers.marketplaces.terms import Listing, Notice, Received

PREFIX = "whsec_"
SECRET_BYTES_MIN, SECRET_BYTES_MAX = 24, 64
TOLERANCE_S = 300.0
"""Between the sender's clock and ours, on both sides; the libraries of Standard Webhooks have five minutes too."""


def secret_of(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except ValueError:
        secret = b""
    if not text.startswith(PREFIX) or not SECRET_BYTES_MIN <= len(secret) <= SECRET_BYTES_MAX:
        raise SettingRefused("notices", "must be whsec_ and 24 to 64 bytes in base64, as the plugin is given")
    return secret


def verified(notice: Notice, secret: bytes, now_s: float) -> str:
    """The notice's id. Raises NoticeRefused."""
    try:
        identifier, sent, signatures = (notice.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise NoticeRefused(f"has no header {missing}") from None
    signed = base64.b64encode(hmac.digest(secret, f"{identifier}.{sent}.".encode() + notice.body, hashlib.sha256))
    expected = b"v1," + signed
    if not any(hmac.compare_digest(one.encode(), expected) for one in signatures.split(" ")):
        raise NoticeRefused("is not signed with this channel's secret")
    if not sent.isdecimal() or abs(now_s - int(sent)) > TOLERANCE_S:
        raise NoticeRefused(f"was signed at {sent[:20]}, more than {TOLERANCE_S:.0f} s from now")
    return identifier


def received(identifier: str, body: bytes, location: str) -> Received:
    """What the plugin says, of one stock location. Raises NoticeRefused for what it never says."""
    try:
        data: dict[str, Any] = orjson.loads(body)["data"]
        order = data.get("order")
        levels = [
            Listing(str(one["variant"]), max(0, one["stockOnHand"] - one["stockAllocated"]))
            for one in data["levels"]
            if one["location"] == location
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise NoticeRefused(f"is not a notice of the plugin: {error!r}") from None
    return Received(identifier, changed_orders=[] if order is None else [str(order)], levels=levels)
