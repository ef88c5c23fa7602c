"""The memory that this process keeps for itself: what its threads free. Of glibc alone; sources: mallopt(3),
malloc_trim(3), ``malloc.h``."""

import ctypes

ARENAS_MAX = 2
"""Parts of the heap. glibc makes up to eight for each core, and threads of a Kafka's clients, which come and go with
each failure, would fill one after the other."""
M_ARENA_MAX = -8

_library = ctypes.CDLL(None)
_mallopt, _malloc_trim = getattr(_library, "mallopt", None), getattr(_library, "malloc_trim", None)


def share_arenas() -> None:
    """To be called before threads are made: what was freed by those that ended serves the next ones."""
    if _mallopt is not None:
        _mallopt(M_ARENA_MAX, ARENAS_MAX)


def give_back() -> None:
    """Returns to the system what was freed and lies between what is in use, which glibc keeps. It blocks: 2 ms of a
    processor for 30 MiB that are kept, 43 ms for 300."""
    if _malloc_trim is not None:
        _malloc_trim(0)
