"""Dead letters: what a channel has refused for good, until somebody says what becomes of it."""

from collections.abc import Sequence

from followers.database.database import Database


class Letters:
    """``remotes``: of these listings; None: of all. Both return how many it were, and raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def retry(self, channel: str, remotes: Sequence[str] | None) -> int:
        """They are read at the channel and sent again."""
        return await self._turn(channel, remotes, "state = 'unknown', due_at = now(), attempt = 0")

    async def drop(self, channel: str, remotes: Sequence[str] | None) -> int:
        """Nothing more becomes of them, unless what they shall offer changes."""
        return await self._turn(channel, remotes, "state = 'rest', last_reason = null")

    async def _turn(self, channel: str, remotes: Sequence[str] | None, values: str) -> int:
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                f"update outgoing set {values} where channel = $1 and state = 'dead'"
                " and ($2::text[] is null or remote = any($2::text[])) returning remote",
                *(channel, None if remotes is None else list(remotes)),
            )
        return len(rows)
