"""From an exception of a step to a message that says what failed and what to do."""

from __future__ import annotations

import re

from botocore.exceptions import BotoCoreError, ClientError

from byoc.errors import ByocError
from byoc.sandbox.events import Failure
from byoc.sandbox.session import is_ambiguous, is_throttle

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_PERFORM = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z*]+)")
"""How AWS names the permission that was missing."""
_TAKEN = ("AlreadyExists", "Duplicate", "InUse", "ResourceExists")
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


def _remedy(error: ClientError, action: str) -> str:
    code = error.response["Error"].get("Code", "")
    if code in _DENIED and "explicit deny" in error.response["Error"].get("Message", ""):
        return f"a policy of this principal forbids {action}: see its guardrails, boundary and organization policies"
    if code in _DENIED:
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
