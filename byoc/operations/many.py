"""Several things at once, in bounded number, each on its own when another fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AT_ONCE = 16
"""Things at once by default; each asks AWS several questions one after another."""
_AHEAD = 8
"""So many times ``at_once`` are begun or done before the first of them must be: one that is slow does not stop the
others, and results that wait for it take bounded memory.
"""


def each(items: Iterable[Item], work: Callable[[Item], Result], *, at_once: int = AT_ONCE) -> Iterator[Result]:
    """What ``work`` makes of each, in the order of ``items``; at most ``at_once`` at a time.

    ``work`` answers for its own failures: what it raises ends the whole. Nothing more is begun when the caller stops.
    """
    with ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="byoc") as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) == at_once * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def chunks(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """``items`` in pieces of at most ``size``, as a call takes them."""
    for first in range(0, len(items), size):
        yield list(items[first : first + size])
