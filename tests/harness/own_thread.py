"""What a test changes for its whole process, kept to the thread of the test.

Servers of other tests go on in threads of their own: whatever they took of the change would be a fault of theirs, seen
later and elsewhere.
"""

from collections.abc import Callable
from threading import get_ident
from typing import Any


def here_alone(here: Callable[..., Any], elsewhere: Callable[..., Any]) -> Callable[..., Any]:
    """``here`` for calls from this thread, ``elsewhere`` for all others. Put in the place of ``elsewhere``."""
    ours = get_ident()

    def call(*arguments: Any, **named: Any) -> Any:
        return (here if get_ident() == ours else elsewhere)(*arguments, **named)

    return call
