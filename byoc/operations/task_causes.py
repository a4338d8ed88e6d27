"""Why containers cannot start or do not stay: AWS's messages, and what each one means.

Sources: Amazon ECS Developer Guide ("Stopped task error messages", "Service event messages", "CannotPullContainer task
errors"), AWS re:Post articles on these errors, and messages that users of ECS on Fargate have published.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why a container did not start, or ended."""

    id: str
    words: str
    way_out: str
    passing: bool = False
    """Whether it may be over by itself, so that trying again makes sense."""


_NETWORK = "see that the private subnets reach AWS: route to a NAT gateway, or endpoints (byoc doctor: network)"
_EXECUTION_ROLE = "byoc up of the account stack gives the execution role its policies back"

IMAGE_NOT_FOUND = Cause(
    id="image-not-found",
    words="its image is not in the registry",
    way_out="push the image, or correct byoc:image, then byoc up",
)
IMAGE_PLATFORM = Cause(
    id="image-platform",
    words="its image is not for linux/amd64",
    way_out="build it anew: langgraph build --platform linux/amd64, push it, then byoc up with the new tag",
)
IMAGE_DENIED = Cause(
    id="image-denied",
    words="its image may not be pulled",
    way_out="let the execution role pull it: the repository's policy, and the key it is encrypted with. "
    + _EXECUTION_ROLE,
)
IMAGE_LIMIT = Cause(
    id="image-rate-limit",
    words="the registry refuses to answer so often",
    way_out="it passes; if it comes back, keep a copy of the image in Amazon ECR of this account",
    passing=True,
)
IMAGE_UNREACHABLE = Cause(id="image-unreachable", words="the registry cannot be reached", way_out=_NETWORK)
IMAGE_PULL = Cause(
    id="image-pull",
    words="its image cannot be pulled",
    way_out="byoc doctor says whether the image is there, and whether the subnets reach the registry",
)
IMAGE_NAME = Cause(
    id="image-name", words="the name of its image is not one", way_out="correct byoc:image, then byoc up"
)
SECRET_GONE = Cause(
    id="secret-gone",
    words="a secret that it reads is not there, or is marked for deletion",
    way_out="aws secretsmanager restore-secret, if it is marked for deletion; else byoc up makes it again",
)
SECRET_VERSION = Cause(
    id="secret-version-gone",
    words="the version of a secret that its revision reads is not there any more",
    way_out="byoc up makes a revision that reads the present version; an old revision cannot come back",
)
SECRET_KEY = Cause(
    id="secret-key-missing",
    words="a secret that it reads lacks one of its keys",
    way_out="byoc up writes the secret as the config says",
)
SECRET_DENIED = Cause(
    id="secret-denied",
    words="its execution role may not read a secret, or use the key that encrypts it",
    way_out=_EXECUTION_ROLE + "; for a key of your own, see its key policy",
)
SECRET_UNREACHABLE = Cause(id="secret-unreachable", words="Secrets Manager cannot be reached", way_out=_NETWORK)
SECRET_PULL = Cause(
    id="secret-pull", words="its secrets cannot be fetched", way_out="byoc doctor looks at the network and the secrets"
)
REGISTRY_UNREACHABLE = Cause(id="registry-unreachable", words="Amazon ECR does not answer its login", way_out=_NETWORK)
LOG_GROUP = Cause(
    id="log-group",
    words="it cannot write to its log group",
    way_out="byoc up of the account stack makes the log group; " + _NETWORK,
)
ROLE = Cause(
    id="role-not-assumable",
    words="ECS cannot assume one of its roles",
    way_out="byoc up of the account stack makes the roles and their trust as they were",
)
AWS_FAULT = Cause(
    id="aws-fault", words="AWS failed on its side", way_out="it passes; AWS Health tells if it lasts", passing=True
)
NETWORK_INTERFACE = Cause(
    id="network-interface",
    words="it got no network interface in time",
    way_out="it passes, as a rule; AWS Health tells if it lasts",
    passing=True,
)
SUBNET_FULL = Cause(
    id="subnet-full",
    words="its subnet has no free address",
    way_out="free addresses, or add a larger private subnet to the account stack's network",
)
INTERFACE_LIMIT = Cause(
    id="interface-limit",
    words="the account has as many network interfaces as its quota allows",
    way_out="ask AWS for more: Service Quotas, Amazon VPC, network interfaces per Region",
)
CAPACITY = Cause(
    id="capacity",
    words="AWS has no Fargate capacity in the zones of its subnets at the moment",
    way_out="it passes; subnets in more zones make it rarer",
    passing=True,
)
QUOTA = Cause(
    id="fargate-quota",
    words="the account runs as many Fargate vCPUs as its quota allows",
    way_out="ask AWS for more: Service Quotas, AWS Fargate, Fargate On-Demand vCPU resource count; or run less",
)
THROTTLED = Cause(
    id="throttled", words="AWS answers ECS's own calls too slowly", way_out="it passes by itself", passing=True
)
MEMORY = Cause(
    id="out-of-memory",
    words="it needed more memory than it has",
    way_out="raise byoc:size.memory (byoc:queue.memory, byoc:cache.memory), then byoc up; or see what the graphs keep",
)
KILLED = Cause(
    id="killed",
    words="it was killed (exit code 137), which as a rule is for want of memory",
    way_out="look at its memory and its last log lines (byoc logs); then raise byoc:size.memory and byoc up",
)
HEALTH = Cause(
    id="health-check",
    words="it fails its health check",
    way_out="byoc logs says what the server does at its start: it must answer /ok on port 8000 within five minutes",
)
BAD_START = Cause(
    id="cannot-run",
    words="its image cannot be started",
    way_out="see that the image is one that langgraph build made, with its own entry point",
)
EXITED = Cause(
    id="exited", words="its process ended by itself", way_out="byoc logs shows its last lines: the reason stands there"
)

_PULL = r"CannotPull\w*(?:Error)?\b.*"
_SECRETS = r"unable to pull secrets or registry auth.*"
_UNREACHABLE = (
    r"(?:i/o timeout|context deadline exceeded|request canceled|connection issue|send request failed|RequestError"
    r"|no such host|connection refused|connection reset|dial tcp|Client\.Timeout)"
)
_TABLE: Sequence[tuple[re.Pattern[str], Cause]] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), cause)
    for pattern, cause in (
        (_PULL + r"(?:toomanyrequests|too many requests|pull rate limit|rate exceeded|\bThrottl)", IMAGE_LIMIT),
        (_PULL + r"(?:descriptor matching platform|no matching manifest|exec format error)", IMAGE_PLATFORM),
        (_PULL + r"(?:invalid reference format|failed to parse)", IMAGE_NAME),
        (
            _PULL + r"(?:forbidden|denied|unauthorized|authorization failed|no basic auth|not authorized)",
            IMAGE_DENIED,
        ),
        (_PULL + _UNREACHABLE, IMAGE_UNREACHABLE),
        (_PULL + r"(?:not found|manifest unknown|does not exist)", IMAGE_NOT_FOUND),
        (_PULL + r"(?:internal server error|service unavailable|bad gateway|gateway timeout)", AWS_FAULT),
        (_PULL, IMAGE_PULL),
        (_SECRETS + r"did not contain json key", SECRET_KEY),
        (_SECRETS + r"(?:staging label|specified secret value|VersionId)", SECRET_VERSION),
        (_SECRETS + r"(?:AccessDenied|not authorized|KMS)", SECRET_DENIED),
        (_SECRETS + r"(?:can't find the specified secret|ResourceNotFound|marked for deletion|deleted)", SECRET_GONE),
        (_SECRETS + r"Throttl", THROTTLED),
        (_SECRETS + r"(?:\becr\b|registry auth from).*" + _UNREACHABLE, REGISTRY_UNREACHABLE),
        (_SECRETS + _UNREACHABLE, SECRET_UNREACHABLE),
        (_SECRETS, SECRET_PULL),
        (r"failed to (?:validate logger args|initialize logging driver|create Cloudwatch log)", LOG_GROUP),
        (r"unable to assume the role", ROLE),
        (r"InsufficientFreeAddressesInSubnet|not have enough free addresses", SUBNET_FULL),
        (r"NetworkInterfaceLimitExceeded", INTERFACE_LIMIT),
        (r"network interface provision", NETWORK_INTERFACE),
        (r"limit on the number of vCPUs", QUOTA),
        (r"Capacity is unavailable at this time|RESOURCE:FARGATE|insufficient capacity", CAPACITY),
        (r"Unexpected EC2 error", AWS_FAULT),
        (r"OutOfMemory", MEMORY),
        (r"failed (?:ELB|container) health checks", HEALTH),
        (r"CannotStartContainer|CannotCreateContainer|ContainerRuntime(?:Timeout)?Error", BAD_START),
        (r"internal error|InternalError|ServerException", AWS_FAULT),
    )
)


def cause_of(message: str) -> Cause | None:
    """What a message of ECS means; None for one that is no trouble, or not known."""
    return next((cause for pattern, cause in _TABLE if pattern.search(message)), None)
