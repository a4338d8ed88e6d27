"""What ``byoc doctor`` reads beside: whether a deployment can be made where it is to stand.

Settings and figures, no content. What only somebody needs who makes something stands apart (:func:`before_making`): a
role that only observes is not given it. What no role is given of all that doctor asks stands in ``docs/access.md``.
"""

from __future__ import annotations

from collections.abc import Mapping

from byoc.permissions.needs.deployment import TYPES
from byoc.permissions.needs.feature import SECRET
from byoc.permissions.needs.feature_rows import LINKED_ROLES
from byoc.permissions.needs.preflight_rows import QUOTAS
from byoc.permissions.needs.requests import linked_role_arns_read
from byoc.permissions.policies.documents import Document
from byoc.permissions.policies.scoped.conditions import Install, allow, of

SURROUNDINGS_REASONS: Mapping[str, str] = {
    "ReadNetwork": "routes, network ACLs and endpoints of the region's VPCs: AWS does not limit these by resource",
    "ReadDns": "whether a VPC resolves names; an adopted one need not carry this install's tag",
    "ReadOffers": "what RDS offers, AWS's default quotas, and whether there are other clusters: AWS does not limit "
    "these reads by resource",
    "ReadCertificates": "whether a load balancer's certificate is issued and in date; which one, the customer chooses",
    "ReadImageSettings": "whether the image is there, in this install's repositories",
}
"""What each statement about the surroundings is for, by its ``Sid``."""
MAKING_REASONS: Mapping[str, str] = {
    "ReadQuotas": "the account's limits for what a deployment is made of",
    "ReadLinkedRoles": "whether AWS's own roles for the services of a deployment are there",
    "SimulateItself": "which actions this role's own policies allow",
}
"""What each statement of :func:`before_making` is for, by its ``Sid``."""


def surroundings(install: Install) -> list[Document]:
    """The statements that read where a deployment stands."""
    return [
        allow(
            "ReadNetwork",
            of(
                "ec2",
                "DescribeNatGateways DescribeNetworkAcls DescribeRouteTables DescribeVpcEndpoints DescribeVpcs",
            ),
            "*",
            install.here,
        ),
        allow("ReadDns", of("ec2", "DescribeVpcAttribute"), install.arn("ec2", "vpc/*")),  # "*": AWS gives random ids
        allow(
            "ReadOffers",
            [
                *of("ecs", "ListClusters"),
                *of("rds", "DescribeDBEngineVersions DescribeOrderableDBInstanceOptions"),
                *of("servicequotas", "GetAWSDefaultServiceQuota"),
            ],
            "*",
            install.here,
        ),
        # "*": AWS gives them random ids, and they carry no tag of this install.
        allow("ReadCertificates", of("acm", "DescribeCertificate"), install.arn("acm", "certificate/*")),
        allow("ReadImageSettings", of("ecr", "DescribeImages"), install.repositories, install.ours),
    ]


def before_making(install: Install) -> list[Document]:
    """The statements that read whether something can be made."""
    account = install.account
    return [
        allow(
            "ReadQuotas",
            of("servicequotas", "GetServiceQuota"),
            [install.arn("servicequotas", f"{service}/{code}") for service, code in _quotas()],
        ),
        allow(
            "ReadLinkedRoles",
            of("iam", "GetRole"),
            [arn for token in LINKED_ROLES for arn in linked_role_arns_read(token, account)],
        ),
        allow(
            "SimulateItself",
            of("iam", "SimulatePrincipalPolicy"),
            account.role_arn(install.names.control_plane_role, install.role_path),
        ),
    ]


def _quotas() -> list[tuple[str, str]]:
    """Those of a deployment; not that of secrets, of which the role is not told how many there are."""
    tokens = (QUOTAS.keys() & set(TYPES)) - {SECRET}
    return sorted(quota for token in tokens for quota in QUOTAS[token])
