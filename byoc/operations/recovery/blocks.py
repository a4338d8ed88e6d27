"""What kind of thing stopped a run, from its failures: pure, and beside ``byoc.automation.failures``, which words them.

Sources: error codes of the API references of Amazon ECS, RDS, EC2, Elastic Load Balancing, IAM and Secrets Manager, and
the messages of the AWS provider's waiters.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from byoc.runs import Failure


class Kind(enum.StrEnum):
    """What stopped a run."""

    PERMISSION = "permission"
    CREDENTIALS = "credentials"
    """They expired, or AWS does not take them."""
    QUOTA = "quota"
    LINKED_ROLE = "service-linked role"
    CAPACITY = "capacity"
    DRIFT = "drift"
    TIME_OUT = "time-out"
    CONFIG = "config"
    PASSING = "passing"
    """AWS was too busy, or failed on its side."""
    CUT_SHORT = "cut short"
    """The run was interrupted, or its process was killed."""
    COMMAND = "command"
    """Pulumi did not begin: its state, passphrase, programs."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Block:
    """One thing that stopped a run, and the way past it."""

    kind: Kind
    failure: Failure | None
    """None for a run that was cut short, or of which there is no record."""
    fix: str
    others: int = 0
    """How many more resources failed so."""

    @property
    def evidence(self) -> str:
        """What was said, on one line."""
        if self.failure is None:
            return ""
        where = self.failure.urn.rsplit("::", 1)[-1] if self.failure.urn else self.failure.op
        action = f" ({self.failure.action})" if self.failure.action else ""
        more = f", and {self.others} more" if self.others else ""
        return f"{where}{more}{action}: {' '.join(self.failure.error.split())}"


_CODES: Sequence[tuple[Kind, re.Pattern[str]]] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (Kind.LINKED_ROLE, r"service.linked role|CreateServiceLinkedRole|AWSServiceRoleFor"),
        (
            Kind.PASSING,
            r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ServiceUnavailable|InternalError|InternalFailure"
            r"|ServerException|Rate exceeded"
            # What was just made is not seen everywhere yet.
            r"|does not have an associated load balancer|Invalid principal in policy",
        ),
        (
            Kind.CREDENTIALS,
            r"ExpiredToken|RequestExpired|security token included in the request is (?:expired|invalid)"
            r"|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|no valid credential|NoCredentialProviders"
            r"|refresh cached credentials|SSO session has expired|token has expired",
        ),
        (
            Kind.PERMISSION,
            r"AccessDenied|UnauthorizedOperation|not authorized to perform|AuthorizationError|explicit deny"
            r"|OptInRequired|Cannot assume IAM Role|cannot be assumed",
        ),
        (
            Kind.CAPACITY,
            r"Insufficient[\w-]*Capacity|Capacity is unavailable at this time|RESOURCE:FARGATE",
        ),
        (
            Kind.QUOTA,
            r"LimitExceeded|QuotaExceeded|QuotaReached|TooMany\w+"
            r"|limit on the number|limit of \d+|maximum number of",
        ),
        (
            Kind.TIME_OUT,
            r"timeout while waiting|timed out|waiting for .*(?:create|update|delete|stab|steady)|deadline exceeded"
            r"|deployment circuit breaker|did not become steady",
        ),
        (
            Kind.DRIFT,
            r"AlreadyExists|already exists|already in use|Duplicate|NotFound|does not exist|NoSuch|DependencyViolation"
            r"|ResourceInUse|InvalidDB\w*State|marked for deletion|scheduled for deletion",
        ),
        (Kind.CONFIG, r"Validation|InvalidParameter|InvalidInput|Invalid\w*Value|Malformed|Unsupported|policy \w"),
    )
)
_OF_LOOK_UPS = frozenset({Kind.PERMISSION, Kind.CREDENTIALS, Kind.PASSING})
"""What a look-up of the program ends at, though its config is right."""
_FIXES: Mapping[Kind, str] = {
    Kind.CREDENTIALS: "sign in again (aws sso login, or new keys in AWS_PROFILE), then go on",
    Kind.QUOTA: "free what is not needed, or ask AWS for more (Service Quotas); byoc doctor shows limit and use",
    Kind.LINKED_ROLE: "byoc up of the account stack with byoc:serviceLinkedRoles, or aws iam "
    "create-service-linked-role; byoc doctor shows which is missing",
    Kind.CAPACITY: "AWS has none at the moment: go on later, or choose another class or more zones",
    Kind.TIME_OUT: "what it waited for did not come up in time: what is wrong with it stands below, if AWS tells",
    Kind.CUT_SHORT: "what was under way may have come to its end unrecorded: a refresh first, then the rest",
}


def classify(failures: Sequence[Failure]) -> tuple[Block, ...]:
    """What stopped a run; failures of the same kind at the same AWS action are one block."""
    groups: dict[tuple[Kind, str], list[Failure]] = {}
    for number, failure in enumerate(failures):
        kind = kind_of(failure)
        groups.setdefault((kind, failure.action or str(number)), []).append(failure)
    return tuple(
        Block(kind=kind, failure=found[0], fix=_fix(kind, found[0]), others=len(found) - 1)
        for (kind, _), found in groups.items()
    )


def kind_of(failure: Failure) -> Kind:
    """What one failure is. A message of the program itself is about the config, unless AWS is in it."""
    found = next((kind for kind, pattern in _CODES if pattern.search(failure.error)), None)
    if failure.op == "pulumi":
        return Kind.CUT_SHORT if "was ended while something was under way" in failure.error else Kind.COMMAND
    if failure.op == "check":
        return Kind.CONFIG
    if failure.op == "run" and not failure.action and found not in _OF_LOOK_UPS:
        return Kind.CONFIG
    return found or Kind.UNKNOWN


def _fix(kind: Kind, failure: Failure) -> str:
    return _FIXES.get(kind, failure.remedy)
