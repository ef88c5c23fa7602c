"""Why a migration ends without having done its work. The message is one line, with what to do."""


class MigrationStopped(Exception):
    """It could not go on now. What was done stands, and running it again goes on from there."""


class MigrationRefused(Exception):
    """It may not be done as things are, and nothing was done."""


class NotExpanded(MigrationRefused):
    """A contract was asked for before its expand."""

    def __init__(self) -> None:
        super().__init__("the database is not expanded to this version's schema: run `stockwire migrate` first")


class OlderLedgers(MigrationRefused):
    """A contract was asked for while ledgers live that it would not bear. ``living``: their connections."""

    NAMED_MAX = 3

    def __init__(self, since: str, living: list[str]) -> None:
        self.living = living
        more = len(living) - self.NAMED_MAX
        names = ", ".join(living[: self.NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
        super().__init__(
            f"ledgers that do not know what {since} knows are connected: {names or 'they were seen a moment ago'}."
            " Upgrade or stop them, then run this again"
        )
