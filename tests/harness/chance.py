"""What chance asks of the product. Every run of the same code asks the same, so what has passed passes elsewhere too.

``CONFORMANCE_SEED=random`` asks what nobody has asked yet; ``CONFORMANCE_ROUNDS`` so many times as much.
"""

import os
import random

ROUNDS = int(os.environ.get("CONFORMANCE_ROUNDS") or 1)
EXPLORES = os.environ.get("CONFORMANCE_SEED") == "random"
SEED = random.SystemRandom().getrandbits(32) if EXPLORES else int(os.environ.get("CONFORMANCE_SEED") or 1)
