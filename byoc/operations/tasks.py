"""The tasks of a cluster as ECS tells of them: listed page by page, described as many at a time as a call takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from byoc.operations.account import Account
from byoc.operations.answers import NoAnswerError
from byoc.operations.many import chunks

TASKS_OF_A_CALL = 100
"""Tasks that one ``ecs:DescribeTasks`` takes (Amazon ECS API Reference)."""


def task_answers(account: Account, cluster: str, **chosen: str) -> Iterator[dict[str, Any]]:
    """The answers of ``ecs:DescribeTasks`` for the tasks that ``chosen`` (arguments of ``ecs:ListTasks``) names.

    What is in an answer is for the caller to read: it may be half of one. A task that ECS forgot meanwhile is left out.
    Raises as :meth:`Account.ask`, and :class:`NoAnswerError` if ECS could not look at a task.
    """
    arns = list(account.all("ecs:ListTasks", "taskArns", cluster=cluster, **chosen))
    for some in chunks(arns, TASKS_OF_A_CALL):
        answer = account.ask("ecs:DescribeTasks", cluster=cluster, tasks=some)
        reasons = {str(failure.get("reason")) for failure in answer.get("failures") or ()} - {"MISSING"}
        if reasons:
            raise NoAnswerError("ecs:DescribeTasks", f"ECS says {', '.join(sorted(reasons))}", "repeat it later")
        yield answer
