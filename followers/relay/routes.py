"""What a broker routes a message by: subjects of NATS, routing keys of RabbitMQ. Pure.

Both are words between dots. A name may hold a dot or what stands for other words in a binding (``>``, ``#``): in a
word these are percent-encoded, and ``%`` itself, so that every name is one word and can be read back
(``urllib.parse.unquote``). All other characters stand as they are. What is about no level is one word alone.
"""

import re
from hashlib import sha256

HISTORY = "history"
"""The last word of a subject about a whole shard."""
KEY_BYTES_MAX = 255
"""Of a routing key: a short string of AMQP 0-9-1."""
WORD_BYTES_MAX = (KEY_BYTES_MAX - len(".")) // 2
LONG = "%~"
"""What begins the word of a name that is too long: nothing that is encoded begins so."""
_ENCODED = str.maketrans({character: f"%{ord(character):02X}" for character in "%.>#"})
_is_encoded = re.compile("[%.>#]").search
"""As hardly any name is: looking is faster than encoding."""


def word(name: str) -> str:
    """
    >>> word("shirt.red #2")
    'shirt%2Ered %232'
    """
    return name.translate(_ENCODED) if _is_encoded(name) else name


def subject(prefix: str, shard: int, key: str) -> str:
    """
    >>> subject("stockwire", 3, "berlin/shirt.red")
    'stockwire.3.berlin.shirt%2Ered'
    """
    words = word(key).replace("/", ".") if "/" in key else HISTORY
    return f"{prefix}.{shard}.{words}"


def routing_key(key: str) -> str:
    """``location.sku``, or the shard. A name of more than 127 bytes (64 characters can have 256) is ``%~`` and its
    SHA-256: routing keys end at 255 bytes, and whoever binds to such a name can say the same.

    >>> routing_key("berlin/shirt.red"), routing_key("3")
    ('berlin.shirt%2Ered', '3')
    """
    return ".".join(_short(word(name)) for name in key.split("/"))


def _short(word_: str) -> str:
    encoded = word_.encode()
    return word_ if len(encoded) <= WORD_BYTES_MAX else f"{LONG}{sha256(encoded).hexdigest()}"
