"""What a channel at Amazon has to say and may say, and what of it cannot work."""

from collections.abc import Mapping

from followers.marketplaces.adapter import Remote, SettingRefused
from followers.marketplaces.amazon.access import LOGIN
from followers.marketplaces.amazon.queue import ARN, Queue

ENDPOINT = "https://sellingpartnerapi-na.amazon.com"
WORTH_IT_FROM, FEED_MESSAGES_MAX = 1_500, 25_000
"""Fewer are as quick by patches: https://github.com/amzn/selling-partner-api-models/issues/543. More are in no feed:
https://developer-docs.amazon.com/sp-api/changelog/update-feed-size-and-rate-limit-changes-for-the-json_listings_feed"""
READ_AFTER_S, READ_AFTER_S_MAX = 60.0, 3600.0
SETTINGS: Mapping[str, str] = {
    "seller": "The seller's id (merchant token), as Seller Central shows it.",
    "marketplace": "The marketplace's id, ATVPDKIKX0DER for amazon.com.",
}
OPTIONAL: Mapping[str, str] = {
    "endpoint": f"Of the Selling Partner API in the seller's region; without, {ENDPOINT}.",
    "login": f"Of Login with Amazon; without, {LOGIN}.",
    "queue": "ARN of an SQS queue of this channel's own into which Amazon may send; without, orders are polled.",
    "queue_endpoint": "Of SQS; without, that of AWS in the queue's region.",
    "aws_access_key_id": "Of an AWS user who may receive from the queue and delete there.",
    "product_type": "That quantities are submitted under; without, PRODUCT.",
    "feeds_from": f"Raises at once from which they go by a feed; without, {WORTH_IT_FROM}; 0: never.",
    "read_after_s": f"Seconds until what Amazon accepted is read back; without, {READ_AFTER_S:.0f}.",
}
CREDENTIALS: Mapping[str, str] = {
    "client_id": "Of the application that the seller authorized (LWA).",
    "client_secret": "Of the same application.",
    "refresh_token": "That the seller's authorization gave, Atzr|...",
}
OPTIONAL_CREDENTIALS: Mapping[str, str] = {"aws_secret_access_key": "Of the AWS user."}


def seconds_of(settings: Mapping[str, str]) -> float:
    """Until what was accepted is read back. Raises SettingRefused."""
    text = settings.get("read_after_s", str(READ_AFTER_S))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= READ_AFTER_S_MAX:
        raise SettingRefused("read_after_s", f"read_after_s is {text}: give 0 to {READ_AFTER_S_MAX:.0f} seconds")
    return seconds


def feeds_from(settings: Mapping[str, str]) -> int | None:
    """How many raises are worth a feed; None: never. Raises SettingRefused."""
    text = settings.get("feeds_from", str(WORTH_IT_FROM))
    if not text.isdecimal() or int(text) > FEED_MESSAGES_MAX:
        raise SettingRefused("feeds_from", f"feeds_from is {text}: give 1 to {FEED_MESSAGES_MAX}, or 0 for never")
    return int(text) or None


def queue_of(settings: Mapping[str, str], credentials: Mapping[str, str], remote: Remote) -> Queue | None:
    """Into which Amazon sends notices; None: there is none. Raises SettingRefused."""
    arn = settings.get("queue")
    if not arn:
        return None
    found = ARN.fullmatch(arn)
    if found is None:
        raise SettingRefused("queue", f"queue is {arn}: give its ARN, arn:aws:sqs:REGION:ACCOUNT:NAME")
    for name, given in (("aws_access_key_id", settings), ("aws_secret_access_key", credentials)):
        if not given.get(name):
            raise SettingRefused(name, f"{name} is missing: a queue is asked as an AWS user")
    endpoint = settings.get("queue_endpoint", f"https://sqs.{found[1]}.amazonaws.com").rstrip("/")
    key = credentials["client_secret"].encode()
    return Queue(remote, arn, endpoint, settings["aws_access_key_id"], credentials["aws_secret_access_key"], key)
