"""Types of single settings: what AWS would refuse later is refused here, with what is allowed and the way out."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Hashable, Sequence
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, Strict, StringConstraints

from byoc.config.problems import refuse
from byoc.subnets import vpc_block

ItemT = TypeVar("ItemT", bound=Hashable)


def matching(pattern: str, allowed: str, remedy: str) -> AfterValidator:
    """A validator of text that ``pattern`` must match as a whole."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise refuse(allowed, remedy)
        return value

    return AfterValidator(check)


def quoted(what: str, example: str) -> BeforeValidator:
    """A validator that tells to quote what YAML would read as a number."""

    def check(value: object) -> object:
        if isinstance(value, int | float) and not isinstance(value, bool):
            raise refuse(f"{what}, as text", f'write it in quotes, such as "{example}", so that YAML keeps every digit')
        return value

    return BeforeValidator(check)


def _distinct(values: Sequence[ItemT]) -> Sequence[ItemT]:
    doubles = sorted({str(value) for value in values if values.count(value) > 1})
    if doubles:
        raise refuse("every entry once", f"remove the repetition of {', '.join(doubles)}")
    return values


DISTINCT = AfterValidator(_distinct)
"""Refuses a list that holds an entry twice."""


def at_least(count: int, allowed: str, remedy: str) -> AfterValidator:
    """A validator of a list with at least ``count`` entries."""

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        if len(values) < count:
            raise refuse(allowed, remedy)
        return values

    return AfterValidator(check)


def counted(least: int, most: int) -> Callable[..., object]:
    """The bounds of a whole number, both inclusive."""
    return Field(ge=least, le=most)  # type: ignore[no-any-return]


Switch = Annotated[bool, Strict()]
"""``true`` or ``false``, nothing that only looks like it."""
Whole = Annotated[int, Strict()]
"""A whole number; text and ``true`` are refused."""

AccountId = Annotated[
    str,
    quoted("an AWS account id of twelve digits", "123456789012"),
    matching(
        r"\d{12}",
        "an AWS account id of twelve digits",
        'write the twelve digits without hyphens, in quotes: "123456789012"',
    ),
]

_PLACE = "(north|south|east|west|central|northeast|northwest|southeast|southwest)"
Region = Annotated[
    str,
    matching(
        rf"(af|ap|ca|cn|eu|il|me|mx|sa|us|us-gov)-{_PLACE}-[1-9]\d?",
        "an AWS region, such as us-west-2",
        "write the region's code, without a zone letter; `aws account list-regions` lists those of the account",
    ),
]


def _not_reserved_prefix(prefix: str) -> str:
    first = prefix.partition("-")[0]
    if first in ("internal", "sg"):
        raise refuse(
            "a prefix that begins with neither internal- nor sg-",
            "choose another: AWS refuses load balancers named internal-… and security groups named sg-…",
        )
    if first == "aws":
        raise refuse("a prefix that does not begin with aws", "choose another: AWS keeps names with aws for itself")
    return prefix


_LABEL = r"(?=.{1,%d}$)[a-z][a-z0-9]*(-[a-z0-9]+)*"
NamePrefix = Annotated[
    str,
    matching(
        _LABEL % 24,
        "1 to 24 lowercase letters, digits and single hyphens, beginning with a letter, not ending with a hyphen",
        "shorten or respell it; langgraph-cloud gives the documented names",
    ),
    AfterValidator(_not_reserved_prefix),
]
DeploymentName = Annotated[
    str,
    matching(
        _LABEL % 63,
        "1 to 63 lowercase letters, digits and single hyphens, beginning with a letter, not ending with a hyphen "
        "(it becomes an RDS identifier and a DNS label)",
        "respell it, such as support-bot",
    ),
]

_PARTITION = "arn:(aws|aws-cn|aws-us-gov)"
PrincipalArn = Annotated[
    str,
    matching(
        rf"{_PARTITION}:iam::\d{{12}}:(role|user)/[\w+=,.@/-]{{1,576}}",
        "the ARN of an IAM role or user",
        "name one role or user, such as arn:aws:iam::111122223333:role/ControlPlane; a whole account (…:root) is "
        "refused, "
        "since it trusts everyone in it",
    ),
]
PrincipalOrAccountArn = Annotated[
    str,
    matching(
        rf"{_PARTITION}:iam::\d{{12}}:(root|(role|user)/[\w+=,.@/-]{{1,576}})",
        "the ARN of an IAM role or user",
        "name one role or user, such as arn:aws:iam::111122223333:role/ControlPlane",
    ),
]
RoleArn = Annotated[
    str,
    matching(
        rf"{_PARTITION}:iam::\d{{12}}:role/[\w+=,.@/-]{{1,576}}",
        "the ARN of an IAM role",
        "copy the output roleArn of the account stack, or leave the key out",
    ),
]
OWN_BOUNDARY = "own"
"""The permissions boundary that this library writes, where a policy's ARN may stand."""
BoundaryPolicy = Annotated[
    str,
    matching(
        rf"{OWN_BOUNDARY}|{_PARTITION}:iam::(\d{{12}}|aws):policy/[\w+=,.@/-]{{1,640}}",
        f"the ARN of a managed IAM policy, or {OWN_BOUNDARY}",
        "copy the policy's ARN, such as arn:aws:iam::123456789012:policy/Boundary, write "
        f"{OWN_BOUNDARY} for the boundary of this library, or leave the key out",
    ),
]
CertificateArn = Annotated[
    str,
    matching(
        rf"{_PARTITION}:(acm:[a-z0-9-]+:\d{{12}}:certificate/[\w-]{{1,64}}|iam::\d{{12}}:server-certificate/[\w+=,.@/-]+)",
        "the ARN of a certificate in AWS Certificate Manager (or of an IAM server certificate)",
        "copy the certificate's ARN, such as arn:aws:acm:us-west-2:123456789012:certificate/…",
    ),
]
RolePath = Annotated[
    str,
    matching(
        r"/|/(?=[!-~]{1,510}$)[!-~]*[!-.0-~]/",
        "an IAM path that begins and ends with a slash, at most 512 characters",
        "write / or, for example, /platform/",
    ),
]


def _vpc_cidr(value: str) -> str:
    try:
        network = vpc_block(value)
    except ValueError as error:
        raise refuse(
            "an IPv4 block for a VPC, from /16 to /28, at its network address",
            f"{error}; private ranges are advised: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16",
        ) from None
    if network.is_loopback or network.is_link_local or network.is_multicast or network.is_unspecified:
        raise refuse("an IPv4 block that AWS routes", "take a private range, such as 10.0.0.0/16")
    return value


def _cidr(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value, strict=False)
    except ValueError:
        raise refuse("an IPv4 block", "write it as 203.0.113.0/24; a single address as 203.0.113.7/32") from None
    if str(network) != value:
        raise refuse("an IPv4 block with its prefix length, at its network address", f"write it as {network}")
    return value


VpcCidr = Annotated[str, AfterValidator(_vpc_cidr)]
Cidr = Annotated[str, AfterValidator(_cidr)]


def _aws_id(prefix: str, what: str) -> AfterValidator:
    return matching(
        rf"{prefix}-([0-9a-f]{{8}}|[0-9a-f]{{17}})",
        f"the id of a {what}: {prefix}- and 8 or 17 hexadecimal digits",
        f"copy the {what}'s id from the VPC console or `aws ec2`",
    )


VpcId = Annotated[str, _aws_id("vpc", "VPC")]
SubnetId = Annotated[str, _aws_id("subnet", "subnet")]
SecurityGroupId = Annotated[str, _aws_id("sg", "security group")]
NamespaceId = Annotated[
    str,
    matching(
        r"ns-[a-z0-9]{1,61}", "the id of a Cloud Map namespace: ns-…", "copy the account stack's output namespaceId"
    ),
]
PrivateSubnetIds = Annotated[
    tuple[SubnetId, ...],
    at_least(
        2, "at least 2 subnets, in different zones", "add a subnet in another zone: RDS and load balancers need two"
    ),
    DISTINCT,
]


def _public_subnets(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(values) == 1:
        raise refuse("no public subnet, or at least 2 in different zones", "add one: a load balancer needs two zones")
    return values


PublicSubnetIds = Annotated[tuple[SubnetId, ...], AfterValidator(_public_subnets), DISTINCT]

EndpointName = Annotated[
    str,
    matching(
        r"(?!com\.amazonaws)(?!(s3|dynamodb)$)[a-z0-9]+([.-][a-z0-9]+)*",
        "the short name of an AWS service with an interface endpoint, such as ecr.api, ecr.dkr, secretsmanager or logs",
        "write the part after com.amazonaws.<region>. ; for S3 set s3Endpoint (it costs nothing)",
    ),
]
RepositoryName = Annotated[
    str,
    matching(
        r"(?=.{2,256}$)([a-z0-9]+([._-][a-z0-9]+)*/)*[a-z0-9]+([._-][a-z0-9]+)*",
        "an ECR repository name: 2 to 256 lowercase letters, digits and single . _ - / between them",
        "respell it, such as agents/chat",
    ),
]
Email = Annotated[
    str,
    matching(
        r"(?=.{3,254}$)[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+",
        "an e-mail address",
        "write it as name@example.com, without a display name",
    ),
]
SessionName = Annotated[
    str,
    matching(
        r"[\w+=,.@-]{2,64}", "2 to 64 letters, digits and _ + = , . @ -", "shorten or respell it; byoc is the default"
    ),
]
MountPrefix = Annotated[
    str,
    matching(
        r"(/[A-Za-z0-9._~-]+)+",
        "a URL path that begins with a slash and does not end with one",
        "write it as /agents/chat",
    ),
]
ShortText = Annotated[str, StringConstraints(min_length=1, max_length=256)]
