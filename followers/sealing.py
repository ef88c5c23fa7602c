"""What is sealed before it lies anywhere: under keys that come from a file.

SealBroken              what is stored cannot be opened under any of them
SealingKeysUnusable     the file holds no usable keys
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

SEALING_KEYS_MAX = 16
"""Each is tried for every secret that is opened."""


class SealBroken(Exception):
    """The message says the fix."""


class SealingKeysUnusable(Exception):
    """The message says what is in such a file."""


class Seal:
    """``keys``: as Fernet writes them (32 bytes in base64, URL-safe). The first one seals; all of them open: a new
    one is put in front, and an old one stays until everything was sealed anew.

    Raises SealingKeysUnusable.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise SealingKeysUnusable(
                "needs one key a line, each 32 bytes in URL-safe base64, the newest first"
            ) from None

    def seal(self, content: bytes) -> bytes:
        return self._fernet.encrypt(content)

    def open(self, sealed: bytes) -> bytes:
        """Raises SealBroken."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            raise SealBroken("no key of the file opens what is sealed: put the key that sealed it back") from None


def seal_of(text: str) -> Seal:
    """``text``: of the file, a key a line; empty lines and those that begin with # are passed over.

    Raises SealingKeysUnusable."""
    lines = [line.strip() for line in text.splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    if len(keys) > SEALING_KEYS_MAX:
        raise SealingKeysUnusable(
            f"has {len(keys)} keys, at most {SEALING_KEYS_MAX} are tried: rotate what the oldest sealed, remove those"
        )
    return Seal(keys)


def new_sealing_key() -> str:
    return Fernet.generate_key().decode("ascii")
