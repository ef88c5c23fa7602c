"""What stops a whole file."""


class UnreadableFile(Exception):
    """The file as a whole cannot be read, or can be read in two ways: why, and what to do, in one line."""
