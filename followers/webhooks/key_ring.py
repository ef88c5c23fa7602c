"""The keys of one endpoint: the newest, and those before it while receivers still go over. Pure."""

from dataclasses import dataclass

from followers.webhooks.signature import AsymmetricKey, SymmetricKey

OVERLAP_S = 24 * 3_600
"""Both keys sign for so long after a rotation."""
KEYS_MAX = 8
"""Signatures of one message: a receiver reads them all, and a header has an end."""

SigningKey = SymmetricKey | AsymmetricKey


class TooManyRotations(Exception):
    """``KEYS_MAX`` keys sign already; the message says until when."""


@dataclass(frozen=True, slots=True)
class HeldKey:
    """``ends_s``: when it signs no more, in seconds since 1970; None for the newest."""

    key: SigningKey
    ends_s: float | None = None


@dataclass(frozen=True, slots=True)
class KeyRing:
    """``held``: the newest first."""

    held: tuple[HeldKey, ...]

    @property
    def newest(self) -> SigningKey:
        return self.held[0].key

    def signing(self, now_s: float) -> tuple[SigningKey, ...]:
        return tuple(one.key for one in self._living(now_s))

    def rotated(self, key: SigningKey, now_s: float) -> "KeyRing":
        """``key`` is the newest from now on. Raises TooManyRotations."""
        living = self._living(now_s)
        if len(living) >= KEYS_MAX:
            raise TooManyRotations(f"{KEYS_MAX} keys sign already: the oldest ends within {OVERLAP_S // 3_600} h")
        older = tuple(HeldKey(one.key, now_s + OVERLAP_S if one.ends_s is None else one.ends_s) for one in living)
        return KeyRing((HeldKey(key), *older))

    def _living(self, now_s: float) -> tuple[HeldKey, ...]:
        return tuple(one for one in self.held if one.ends_s is None or one.ends_s > now_s)
