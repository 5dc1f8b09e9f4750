"""Who waits while a document is read, and its selection made into a statement? Whoever asked first; others go on.

That takes milliseconds for what clients usually ask, and half a second for the most that one may ask. So it is
done on a thread of its own, one after the other, and one at a time of the same person: who asks for something new
with each operation waits for himself.
"""

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakValueDictionary

from models.actor import Viewer

Made = TypeVar("Made")

_THREAD = ThreadPoolExecutor(1, thread_name_prefix="compiling")
_turns: "WeakValueDictionary[tuple[asyncio.AbstractEventLoop, int], asyncio.Lock]" = WeakValueDictionary()


async def aside(viewer: Viewer | None, make: Callable[[], Made]) -> Made:
    """What is made, when it is the viewer's turn; all who are signed out have one together. Raises what `make`
    raises."""
    loop = asyncio.get_running_loop()
    turn = _turns.setdefault((loop, 0 if viewer is None else viewer.id), asyncio.Lock())
    async with turn:
        return await loop.run_in_executor(_THREAD, _made, make)


def _made(make: Callable[[], Made]) -> Made:
    """What was needed on the way is tens of thousands of objects that know each other: they are taken away while
    they are few, for all wait meanwhile."""
    try:
        return make()
    finally:
        gc.collect(1)
