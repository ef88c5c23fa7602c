"""What `up` tells while it runs is a line each, whatever went wrong."""

import io
import logging

from cli.terminal.screen import Screen


def test_a_failure_with_a_traceback_is_one_line_with_its_reason() -> None:
    shown, logger = io.StringIO(), logging.getLogger("tests.cli.test_screen")
    screen = Screen(shown)
    logger.addHandler(screen)
    try:
        try:
            raise ConnectionError("the client has been closed")
        except ConnectionError:
            logger.exception("Exception in ASGI application\n")
    finally:
        logger.removeHandler(screen)
    assert shown.getvalue() == "! Exception in ASGI application: ConnectionError('the client has been closed')\n"
