"""What chance asks of the product. Every run of the same code asks the same, so what has passed passes elsewhere too.

``CONFORMANCE_SEED=random`` asks what nobody has asked yet; ``CONFORMANCE_ROUNDS`` so many times as much.
"""

import os
import random

import hypothesis

ROUNDS = int(os.environ.get("CONFORMANCE_ROUNDS") or 1)
EXPLORES = os.environ.get("CONFORMANCE_SEED") == "random"
SEED = random.SystemRandom().getrandbits(32) if EXPLORES else int(os.environ.get("CONFORMANCE_SEED") or 1)


def pytest_configure() -> None:
    """For all that Hypothesis tests, the client's own tests too. A busy machine is slow now and then: no failure."""
    hypothesis.settings.register_profile("stockwire", deadline=None, print_blob=True, derandomize=not EXPLORES)
    hypothesis.settings.load_profile("stockwire")
