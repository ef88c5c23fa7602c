"""The collector of garbage rests while tests are read, and walks over nothing of that afterwards.

What is read stays: thousands of modules and tests. Looking for garbage in it again and again took a quarter of the
time in which it is read, in every worker, and another second for each whole look later.
"""

import gc
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
