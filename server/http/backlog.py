"""How many connections the kernel holds ready for a process that has not accepted them yet."""

BACKLOG = 4_096
"""Of every port. With asyncio's default of 100, clients beyond it get no answer and ask again after 1, 3 and 7 s:
5,000 at once took ten times as long. More is cut off by Linux (``net.core.somaxconn`` is 4,096)."""
