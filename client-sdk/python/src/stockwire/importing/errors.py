"""What stops a whole file."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class UnreadableFile(Exception):
    """The file as a whole cannot be read, or can be read in two ways: why, and what to do, in one line.

    It quotes the file, which may hold anything: control characters become spaces.
    """

    def __init__(self, message: str) -> None:
        super().__init__(_CONTROL.sub(" ", message))
