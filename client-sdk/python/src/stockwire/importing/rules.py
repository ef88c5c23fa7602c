"""Which lines of a file of sales move stock, and how: as its profile says. Pure."""

from stockwire.importing import words
from stockwire.importing.fields import LeftOut, as_set, is_among
from stockwire.importing.profile import Profile


class Rules:
    """Which lines move stock, and how."""

    def __init__(self, profile: Profile) -> None:
        self._goods, self._refunds = as_set(profile.goods), as_set(profile.refunds)
        self._left_out = as_set(profile.left_out)
        self._negatives = profile.negatives
        self._services = frozenset(one.upper() for one in profile.services if not one.endswith("*"))
        self._prefixes = tuple(one[:-1].upper() for one in profile.services if one.endswith("*"))
        self.has_services, self.has_refunds = bool(profile.services), bool(profile.refunds)

    def left_out(self, kind: str, status: str, cancelled: str) -> LeftOut | None:
        """Why a line moved nothing: it is no goods, or they never left the shop."""
        if self._goods and not is_among(kind, self._goods):
            return LeftOut(words.NO_GOODS, f"no goods: {kind.strip() or 'a line without a type'}", "type")
        if kind.strip() and is_among(kind, self._left_out):
            return LeftOut(words.NO_GOODS, f"no goods: {kind.strip()}", "type")
        if status.strip() and is_among(status, self._left_out):
            return LeftOut(words.LEFT_OUT, f"left out: {status.strip()}", "status")
        if cancelled.strip():
            return LeftOut(words.LEFT_OUT, f"left out: cancelled at {cancelled.strip()}", "cancelled")
        return None

    def is_service(self, number: str, sku: str) -> bool:
        """``SKU@A``: only on numbers that begin with A."""
        code = sku.upper()
        return (
            code in self._services
            or code.startswith(self._prefixes)
            or f"{code}@{number[:1].upper()}" in self._services
        )

    def is_refund(self, kind: str, quantity: int | None) -> bool | None:
        """Whether goods come back in an operation of its own, apart from the sale whose number it has.

        None: that cannot be told, since the quantity cannot be read.
        """
        if not self.has_refunds or is_among(kind, self._refunds):
            return self.has_refunds
        if self._negatives != "return":
            return False
        return None if quantity is None else quantity < 0

    def movement(self, number: str, kind: str, quantity: int) -> tuple[int, str]:
        """The signed quantity and its kind. Raises LeftOut."""
        if self._refunds and is_among(kind, self._refunds):
            return abs(quantity), "return"
        if self._negatives == "return":
            return -quantity, "sale" if quantity > 0 else "return"
        if number[:1] in ("C", "c"):
            if quantity > 0:
                raise LeftOut(words.SIGN, f"a cancellation with a positive quantity: {quantity}", "quantity")
            return -quantity, "return"
        return (-quantity, "sale") if quantity > 0 else (quantity, "write_off")
