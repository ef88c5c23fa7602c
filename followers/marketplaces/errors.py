"""What a channel, or what is said of one, meets us with.

RemoteAway        no answer, or none that can be understood; what was asked may have been done
└── AccessRefused   it takes our credentials no more
NoticeRefused     what came in is not from the channel
SettingRefused    the channel cannot work with this setting
"""


class RemoteAway(Exception):
    """The message says why in a few words. Whoever pushed takes the outcome of every target as ``Unknown``."""


class AccessRefused(RemoteAway):
    """The channel takes our credentials no more: it stops until they are renewed."""


class NoticeRefused(Exception):
    """It is answered with 401 and forgotten."""


class SettingRefused(Exception):
    """``name``: of the setting or credential. The message says the fix."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
