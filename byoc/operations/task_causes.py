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
DISK = Cause(
    id="disk-full",
    words="its disk is full",
    way_out="make the image smaller, or let the graphs write less: image and files together have 20 GiB on Fargate",
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
    words="a secret that it reads lacks one of its keys, or is no JSON",
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
LINKED_ROLE = Cause(
    id="service-linked-role",
    words="ECS cannot use its service-linked role",
    way_out="byoc up of the account stack with byoc:serviceLinkedRoles; byoc doctor shows which role is missing",
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
ZONE = Cause(
    id="zone",
    words="ECS cannot place it, as a rule because a subnet is in a zone without Fargate",
    way_out="AWS lists the zones without Fargate: take such a subnet out of the account stack's network, then byoc up",
)
QUOTA = Cause(
    id="fargate-quota",
    words="the account runs as much on Fargate as its quota allows",
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
    way_out="look at its memory and its last log lines (byoc logs); then raise byoc:size.memory (byoc:queue.memory, "
    "byoc:cache.memory)",
)
CRASHED = Cause(
    id="crashed",
    words="its process crashed (exit code 139, a segmentation fault)",
    way_out="byoc logs shows its last lines; as a rule a package of the image with native code: build it anew",
)
TERMINATED = Cause(
    id="terminated",
    words="its process was told to end (exit code 143), and not by ECS",
    way_out="byoc logs shows its last lines: something in the container sends SIGTERM",
)
TARGETS = Cause(
    id="not-behind-load-balancer",
    words="ECS cannot put it behind the load balancer",
    way_out="see AWS's words; byoc up --refresh of its stack makes what is missing",
)
HEALTH = Cause(
    id="health-check",
    words="it fails its health check",
    way_out="byoc logs says what it does at its start: a server must answer /ok on port 8000 within five minutes",
)
BAD_START = Cause(
    id="cannot-run",
    words="its image cannot be started",
    way_out="see that the image is one that langgraph build made, with its own entry point",
)
EXITED = Cause(
    id="exited", words="its process ended by itself", way_out="byoc logs shows its last lines: the reason stands there"
)
NOT_STARTED = Cause(
    id="not-started",
    words="ECS could not start it, for a reason that is not known here",
    way_out="see AWS's words; byoc doctor looks at image, network, secrets and quotas",
)

_PULL = r"CannotPull\w*(?:Error)?\b.*"
_SECRETS = r"unable to pull secrets or registry auth.*"
_UNREACHABLE = (
    r"(?:i/o timeout|context deadline exceeded|request canceled|connection issue|send request failed|RequestError"
    r"|no such host|connection refused|connection reset|dial tcp|Client\.Timeout|context canceled"
    r"|TLS handshake timeout|network configuration)"
)
_TABLE: Sequence[tuple[re.Pattern[str], Cause]] = tuple(
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), cause)
    for pattern, cause in (
        (r"no space left on device", DISK),
        (_PULL + r"(?:toomanyrequests|too many requests|pull rate limit|rate exceeded|\bThrottl)", IMAGE_LIMIT),
        (_PULL + r"(?:descriptor matching platform|no matching manifest|exec format error)", IMAGE_PLATFORM),
        (_PULL + r"(?:invalid reference format|failed to parse)", IMAGE_NAME),
        (_PULL + r"Check whether the image exists", IMAGE_NOT_FOUND),
        (
            _PULL + r"(?:forbidden|denied|unauthorized|authorization failed|no basic auth|not authorized"
            r"|has the permissions to pull)",
            IMAGE_DENIED,
        ),
        (_PULL + _UNREACHABLE, IMAGE_UNREACHABLE),
        (_PULL + r"(?:not found|manifest unknown|does not exist)", IMAGE_NOT_FOUND),
        (_PULL + r"(?:internal server error|service unavailable|bad gateway|gateway timeout)", AWS_FAULT),
        (_PULL, IMAGE_PULL),
        (_SECRETS + r"(?:did not contain json key|invalid character|end of JSON input|cannot unmarshal)", SECRET_KEY),
        (_SECRETS + r"(?:staging label|specified secret value|VersionId)", SECRET_VERSION),
        (_SECRETS + r"(?:AccessDenied|not authorized|KMS)", SECRET_DENIED),
        (_SECRETS + r"(?:can't find the specified secret|ResourceNotFound|marked for deletion|deleted)", SECRET_GONE),
        (_SECRETS + r"Throttl", THROTTLED),
        (_SECRETS + r"(?:\becr\b|registry auth from).*" + _UNREACHABLE, REGISTRY_UNREACHABLE),
        (_SECRETS + _UNREACHABLE, SECRET_UNREACHABLE),
        (_SECRETS, SECRET_PULL),
        (r"failed to (?:validate logger args|initialize logging driver|create Cloudwatch log)", LOG_GROUP),
        (r"unable to assume the role", ROLE),
        (r"unable to assume the service.linked role", LINKED_ROLE),
        (r"InsufficientFreeAddressesInSubnet|not have enough free addresses", SUBNET_FULL),
        (r"NetworkInterfaceLimitExceeded", INTERFACE_LIMIT),
        (r"network interface provision", NETWORK_INTERFACE),
        (r"limit on the number of|configuration is above your limit|exceeds limit", QUOTA),
        (r"Capacity is unavailable at this time|RESOURCE:FARGATE|insufficient capacity", CAPACITY),
        (r"Unexpected EC2 error", AWS_FAULT),
        (r"OutOfMemory", MEMORY),
        (r"failed (?:ELB|container) health checks", HEALTH),
        (r"CannotStartContainer|CannotCreateContainer|ContainerRuntime(?:Timeout)?Error", BAD_START),
        (r"unable to place a task\. Reason: Internal error", ZONE),
        (r"failed to register targets", TARGETS),
        (r"being throttled|Throttl|Rate exceeded|RequestLimitExceeded", THROTTLED),
        (r"internal error|InternalError|ServerException", AWS_FAULT),
    )
)


_NAMES = re.compile(
    r"\((?:service|task|deployment|taskSet) [^()]*\)"  # what an event is about
    r"|'[^'\s]+'"
    r"|(?<!\S)(?!i/o\b|net/http:)\S*/\S*"  # images, ARNs, addresses: everything with a slash but Go's own words
)
"""What the customer named: an image may be called retirement-planner, a deployment kms."""


def plain(message: str) -> str:
    """A message of ECS without the names in it, in which words are not AWS's."""
    return _NAMES.sub("...", message.replace("\u2019", "'"))


def cause_of(message: str) -> Cause | None:
    """What a message of ECS means; None for one that is no trouble, or not known."""
    text = plain(message)
    return next((cause for pattern, cause in _TABLE if pattern.search(text)), None)
