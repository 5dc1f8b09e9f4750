"""How does it go down? At a signal, and within a second: what is under way has a moment to finish in.

Whatever is cut off then was not acknowledged to anybody, and what was acknowledged is on disk.
"""

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from threading import Timer
from typing import NoReturn

TO_FINISH = 0.5
"""Seconds that requests and sockets under way have together."""

TO_SEND = 0.05
"""Seconds that their last answers then have to leave."""

LATEST = 0.85
"""Seconds from the signal to the end of the process, whatever still runs."""

log = logging.getLogger(__name__)


def signalled() -> asyncio.Event:
    """Set when the process is told to stop; from then on its time is limited."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if not stopped.is_set():
            _limit_the_time()
            stopped.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    return stopped


def leave() -> NoReturn:
    """Ends the process. What is left of it is memory: to take that apart would only cost time."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def _limit_the_time() -> None:
    """A thread that waits for a lock, or for a disk, holds the process no longer than this."""
    timer = Timer(LATEST, _leave_unfinished)
    timer.daemon = True
    timer.start()


def _leave_unfinished() -> None:
    log.warning("Stopped while something was still under way: none of it was acknowledged")
    leave()
