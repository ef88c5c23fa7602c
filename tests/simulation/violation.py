"""What a check says when it fails."""


class Violation(AssertionError):
    """``check``: its name; the text says with which numbers."""

    def __init__(self, check: str, what: str) -> None:
        super().__init__(f"{check}: {what}")
        self.check = check
