"""What a channel, or what is said of one, meets us with.

RemoteAway        no answer, or none that can be understood; what was asked may have been done
└── AccessRefused   it takes our credentials no more
NoticeRefused     what came in is not from the channel
SettingRefused    the channel cannot work with this setting
"""

FRAMES_MAX = 3


def defect_of(error: BaseException) -> str:
    """What failed, and where, of an answer that cannot be read. Not the error's own words: they may quote the answer,
    such as a buyer's name."""
    frames, trace = list[str](), error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return " < ".join([type(error).__name__, *reversed(frames[-FRAMES_MAX:])])


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
