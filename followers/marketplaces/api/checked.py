"""What somebody says of a channel, held to what can work: every mistake names its field."""

from collections.abc import Mapping
from decimal import Decimal

from followers.api.askers import Asker
from followers.marketplaces.adapter import Adapter, Remote, SettingRefused
from followers.marketplaces.api.bodies import ChannelWish
from followers.marketplaces.channels import Wish
from followers.marketplaces.reconciling.policy import PolicyRefused, policy_of
from followers.outward.addresses import Addresses, UrlRefused
from followers.outward.sessions import Sessions
from server.problems import Forbidden, Invalid
from wire.scopes import READ, WRITE, allows


class CheckedWish:
    """``addresses``: who may be reached. ``sessions``: for the adapters that are made to see whether their settings can
    work; nothing is asked by them."""

    def __init__(self, addresses: Addresses, sessions: Sessions) -> None:
        self._addresses = addresses
        self._sessions = sessions

    def wish(self, asker: Asker, body: ChannelWish) -> Wish:
        """Raises Forbidden, Invalid."""
        for location in body.locations:
            for scope in (READ, WRITE):
                if not allows(asker.scopes, scope + location):
                    raise Forbidden(scope + location)
        if body.notices_url is not None and not body.notices_url.startswith(("https://", "http://")):
            raise Invalid("notices_url", "must be the address at which the channel reaches /v1/channels/<id>/notices")
        try:
            policy_of(body.policy)
        except PolicyRefused as error:
            raise Invalid(f"policy.{error.name[:64]}", str(error)) from None
        return Wish(
            settings=body.settings,
            locations=tuple(dict.fromkeys(body.locations)),
            share=Decimal(str(body.share)),
            buffer=body.buffer,
            safety=body.safety,
            cap=body.cap,
            notices_url=body.notices_url,
            policy=body.policy,
        )

    def check_settings(
        self, vendor: type[Adapter], settings: Mapping[str, str], credentials: Mapping[str, str]
    ) -> None:
        """Raises Invalid."""
        _check_names("settings", settings, vendor.settings, vendor.optional)
        _check_names("credentials", credentials, vendor.credentials, vendor.optional_credentials)
        for name, value in settings.items():
            if value.startswith(("http://", "https://")):
                try:
                    self._addresses.check_url(value)
                except UrlRefused as error:
                    raise Invalid(f"settings.{name}", str(error)) from None
        try:
            vendor(settings, credentials, Remote(self._sessions, vendor.quotas))
        except SettingRefused as error:
            place = "credentials" if error.name in (*vendor.credentials, *vendor.optional_credentials) else "settings"
            raise Invalid(f"{place}.{error.name}", str(error)) from None


def _check_names(
    place: str, given: Mapping[str, str], required: Mapping[str, str], optional: Mapping[str, str]
) -> None:
    for name, meaning in required.items():
        if not given.get(name):
            raise Invalid(f"{place}.{name}", f"is required: {meaning}")
    for name in given:
        if name not in required and name not in optional:
            known = ", ".join([*required, *optional]) or "none"
            raise Invalid(f"{place}.{name[:64]}", f"is none of this vendor's: {known}")
