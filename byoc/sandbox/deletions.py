"""Deleting many resources: dependants first, independent ones at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from byoc.sandbox.state import ResourceState

_THREADS = 32


def delete_in_order(
    resources: Iterable[ResourceState],
    delete: Callable[[ResourceState], bool],
    stop: threading.Event,
) -> list[ResourceState]:
    """Call ``delete`` for each resource once everything that needs it is gone; returns what was not tried.

    ``delete`` says whether the resource is gone. What a resource that stays needs is not tried, and neither is anything
    after ``stop`` is set.
    """
    waiting = {item.key: item for item in resources}
    by_urn: dict[str, list[str]] = {}
    for key, item in waiting.items():
        by_urn.setdefault(item.urn, []).append(key)
    needs = {
        key: [other for urn in item.needs for other in by_urn.get(urn, ()) if other != key]
        for key, item in waiting.items()
    }
    dependants = dict.fromkeys(waiting, 0)
    for needed in needs.values():
        for other in needed:
            dependants[other] += 1
    ready = [key for key, count in dependants.items() if count == 0]
    running: dict[Future[bool], str] = {}
    with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="delete") as pool:
        while ready or running:
            while ready and not stop.is_set():
                key = ready.pop()
                running[pool.submit(delete, waiting.pop(key))] = key
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                key = running.pop(future)
                if not future.result():
                    continue
                for other in needs[key]:
                    dependants[other] -= 1
                    if dependants[other] == 0:
                        ready.append(other)
    return list(waiting.values())
