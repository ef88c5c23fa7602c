"""All that a console watches, which watches nothing yet: tests put in what it saw."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from console.process import Console
from console.settings import read_settings
from console.topics.watch import Watch


@asynccontextmanager
async def watch_of(*admin_urls: str) -> AsyncIterator[Watch]:
    settings = read_settings(
        {
            "STOCKWIRE_URL": "http://127.0.0.1:9",
            "STOCKWIRE_CONSOLE_KEY": "sw_key",
            "STOCKWIRE_ADMIN_URLS": ",".join(admin_urls),
        }
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Console(settings, listener).watch
