"""What an intake asks of a broker: one file of ``sources/`` for each kind.

SourceError
|-- SourceAway      it does not answer, or not now; what was not acknowledged is delivered again
`-- SourceRefused   what is set up there will not do (topics, queues, credentials); says the fix
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from followers.intake.applying import Applying


class SourceError(Exception):
    """The message says why in a few words; never a password, never a message's data."""


class SourceAway(SourceError):
    pass


class SourceRefused(SourceError):
    pass


class Source(Protocol):
    """Guarantees: commands of one queue (on Kafka of one partition) enter in its order, and nobody else applies those
    behind one that was not acknowledged. A command is acknowledged when its result or its dead message is kept,
    durably. No more than the window is in hand."""

    async def run(self, applying: Applying, stopping: asyncio.Event, reached: Callable[[], None]) -> None:
        """Until ``stopping``, then for ``applying.end_s`` at most. ``reached``: called when commands may come. Raises
        SourceError; then it may be run again."""
