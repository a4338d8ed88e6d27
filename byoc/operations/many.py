"""Several things at once, in bounded number, each on its own when another fails."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

AT_ONCE = 16
"""Things at once by default; each asks AWS several questions one after another."""
_AHEAD = 8
"""So many times ``at_once`` are begun or done before the first of them must be: one that is slow does not stop the
others, and results that wait for it take bounded memory.
"""


def each(
    items: Iterable[Item], work: Callable[[Item], Result], *, at_once: int = AT_ONCE, only_looks: bool = False
) -> Iterator[Result]:
    """What ``work`` makes of each, in the order of ``items``; at most ``at_once`` at a time.

    ``work`` answers for its own failures: what it raises ends the whole. Nothing more is begun when the caller stops.
    What is under way then is waited for, unless it ``only_looks``: an AWS that is silent must not hold up Ctrl-C.
    """
    with _pool(at_once, only_looks=only_looks) as pool:
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


@contextmanager
def _pool(at_once: int, *, only_looks: bool) -> Iterator[Executor]:
    pool = _Unattended(at_once) if only_looks else ThreadPoolExecutor(at_once, thread_name_prefix="byoc")
    with pool:
        yield pool


class _Unattended(Executor):
    """Threads that nobody waits for, neither who stops them nor the program when it ends."""

    def __init__(self, at_once: int) -> None:
        self._most = at_once
        self._threads = 0
        self._waiting: SimpleQueue[Callable[[], None] | None] = SimpleQueue()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401
        future: Future[Any] = Future()

        def run() -> None:
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(fn(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - is raised again where the result is taken
                    future.set_exception(error)

        self._waiting.put(run)
        if self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._work, name="byoc", daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        for _ in range(self._threads):
            self._waiting.put(None)

    def _work(self) -> None:
        while (run := self._waiting.get()) is not None:
            run()


def chunks(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    """``items`` in pieces of at most ``size``, as a call takes them."""
    for first in range(0, len(items), size):
        yield list(items[first : first + size])
