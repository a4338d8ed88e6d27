"""From an exception of a step to a message that says what failed and what to do."""

from __future__ import annotations

import re
import traceback

from botocore.exceptions import BotoCoreError, ClientError

from byoc.errors import ByocError
from byoc.runs import Failure
from byoc.sandbox.session import is_ambiguous, is_denied, is_throttle

_PERFORM = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z*]+)")
"""How AWS names the permission that was missing."""
_TAKEN = ("AlreadyExists", "Duplicate", "InUse", "ResourceExists")
_LOOK_UP = "invoke of "
"""How the SDK's message of a failed provider function begins."""
_RUN_AGAIN = "run the same command again: what was made is kept, and only the rest is done"


def failure_of(error: BaseException, *, urn: str, type: str, op: str, action: str) -> Failure:
    """The failure of a step; ``action`` is the AWS action that was called last."""
    if isinstance(error, ClientError):
        details = error.response["Error"]
        denied = _PERFORM.search(details.get("Message", ""))
        action = denied[1] if denied else action  # a call may need more permissions than its own
        text = f"{details.get('Code', 'Unknown')}: {details.get('Message', '')}".strip()
        return Failure(urn=urn, type=type, op=op, action=action, error=text, remedy=_remedy(error, action))
    if isinstance(error, BotoCoreError):
        remedy = f"is the emulator still running ('byoc sandbox status')? then {_RUN_AGAIN}"
        return Failure(urn=urn, type=type, op=op, action=action, error=str(error), remedy=remedy)
    if isinstance(error, ByocError | ValueError):
        remedy = "mend the input and run again; nothing else was changed for this resource"
        return Failure(urn=urn, type=type, op=op, action="", error=str(error), remedy=remedy)
    text = f"{error.__class__.__name__}: {error}"
    return Failure(urn=urn, type=type, op=op, action=action, error=text, remedy=_RUN_AGAIN)


def failure_of_program(error: BaseException) -> Failure:
    """The failure of a program that ended in an exception: a look-up that AWS refused, or a fault of its own."""
    text = str(error)
    if text.startswith(_LOOK_UP):
        remedy = f"mend the cause, then {_RUN_AGAIN}"
        return Failure(urn="", type="", op="run", action="", error=text.removesuffix(" ()"), remedy=remedy)
    trace = "".join(traceback.format_exception(error))
    return Failure(
        urn="",
        type="",
        op="run",
        action="",
        error=f"{error.__class__.__name__}: {error}\n{trace}",
        remedy="this is a fault of the program: mend it and run again; what was made is kept",
    )


def _remedy(error: ClientError, action: str) -> str:
    code = error.response["Error"].get("Code", "")
    if is_denied(error) and "explicit deny" in error.response["Error"].get("Message", ""):
        return f"a policy of this principal forbids {action}: see its guardrails, boundary and organization policies"
    if is_denied(error):
        return (
            f"grant {action} to this principal (for a deployment: bring the account stack up to date), then run again"
        )
    if is_throttle(error) or is_ambiguous(error):
        return _RUN_AGAIN
    if any(word in code for word in _TAKEN):
        return "the name is taken: choose another byoc:namePrefix or deployment name, or delete the other one"
    if "DependencyViolation" in code or "ResourceInUse" in code:
        return "something that byoc did not make still uses it: delete that first, then run again"
    return f"mend the cause that AWS names, then {_RUN_AGAIN}"
