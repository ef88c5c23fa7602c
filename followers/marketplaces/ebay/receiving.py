"""Notices of eBay's: its challenge answered, its signature verified with the key that it names, an order's id read."""

import msgspec

from followers.marketplaces.ebay.answers import read
from followers.marketplaces.ebay.api import KEYS, Api
from followers.marketplaces.ebay.shapes import PublicKey, Read
from followers.marketplaces.ebay.signature import challenge_answer, signature_of, verify
from followers.marketplaces.errors import NoticeRefused, RemoteAway
from followers.marketplaces.remote import Remote
from followers.marketplaces.terms import Notice, Received

TOPIC = "ORDER_CONFIRMATION"
KEY_S = 3600.0
"""eBay recommends to keep a key for an hour."""


class Metadata(Read, frozen=True):
    topic: str


class ToldOrder(Read, frozen=True):
    order_id: str = ""


class Data(Read, frozen=True):
    order: ToldOrder = ToldOrder()


class Notification(Read, frozen=True):
    notification_id: str
    data: Data = Data()


class Told(Read, frozen=True):
    """https://developer.ebay.com/api-docs/master/commerce/notification/asyncapi/order_confirmation.yaml"""

    metadata: Metadata
    notification: Notification


class Receiving:
    def __init__(self, remote: Remote, api: Api, verification_token: str) -> None:
        self._remote = remote
        self._api = api
        self._verification_token = verification_token

    def challenged(self, code: str, url: str) -> Received:
        """``url``: as it was registered, letter by letter."""
        if not url:
            raise NoticeRefused("eBay asks whether this address is ours, and the channel has none: set its notices_url")
        answer = challenge_answer(code, self._verification_token, url)
        return Received(f"challenge {code[:80]}", answer=answer, answer_type="application/json")

    async def told(self, notice: Notice) -> Received:
        """The order is fetched whole: a notice has one line of it. Other topics say nothing about stock."""
        signature = signature_of(notice.headers.get("x-ebay-signature"))
        key = await self._key(signature.kid)
        verify(notice.body, signature.signature, key.key, key.digest)
        try:
            told = msgspec.json.decode(notice.body, type=Told)
        except msgspec.DecodeError as error:
            raise NoticeRefused(f"is signed by eBay, and not what it documents: {error}") from None
        order = told.notification.data.order.order_id if told.metadata.topic == TOPIC else ""
        return Received(told.notification.notification_id, changed_orders=(order,) if order else ())

    async def _key(self, kid: str) -> PublicKey:
        """The sender waits: where too many keys were asked for that eBay does not have, it shall come again."""
        name = f"key {kid}"
        if (kept := self._remote.kept_value(name)) is not None:
            return msgspec.json.decode(kept, type=PublicKey)
        if self._remote.buckets[KEYS].tokens < 1:
            raise RemoteAway("is asked for no more keys: too many notices named some that it does not have")
        path = f"/commerce/notification/v1/public_key/{kid}"
        answer = await self._api.ask("GET", path, quota=KEYS, who="application")
        if answer.status != 200:
            raise NoticeRefused(f"eBay has no key {kid}")
        key = read(answer, PublicKey)
        self._remote.keep(name, msgspec.json.encode(key).decode(), KEY_S)
        return key
