"""What the AWS provider knows of each type that can be taken over: names, import ids, and what forces a replacement.

The source is the provider's documentation of each type ("Import", "Forces new resource"), and for security groups
and rules its note on what EC2 cannot change. A test compares the replacements with those of the sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from byoc.adoption.found import RULE, Found


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One type.

    ``properties``: Pulumi's input by Terraform's attribute, those alone that a removal from the program would change
    (what is optional and computed stays as it is when it is left out). ``key``: the inputs by which AWS tells two of
    the type apart. ``sets`` have no order. ``json`` hold policies.
    """

    terraform: str
    token: str
    properties: Mapping[str, str]
    key: frozenset[str]
    replaces: frozenset[str]
    taggable: bool = True
    sets: frozenset[str] = frozenset()
    json: frozenset[str] = frozenset()
    zero: Mapping[str, object] = field(default_factory=dict)
    """What a property that is left out means, other than nothing."""
    import_id: Callable[[Found], str] = lambda found: found.text("id")
    """What ``pulumi import`` takes."""


def _names(*pairs: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in pairs)


_RULE_PROPERTIES = _names(
    "security_group_id=securityGroupId",
    "description=description",
    "ip_protocol=ipProtocol",
    "from_port=fromPort",
    "to_port=toPort",
    "cidr_ipv4=cidrIpv4",
    "cidr_ipv6=cidrIpv6",
    "prefix_list_id=prefixListId",
    "referenced_security_group_id=referencedSecurityGroupId",
)
RULE_KEY = frozenset(_RULE_PROPERTIES.values()) - {"description"}
"""A group cannot have two rules that are alike in all of these."""

KINDS: tuple[Kind, ...] = (
    Kind(
        terraform="aws_cloudwatch_log_group",
        token="aws:cloudwatch/logGroup:LogGroup",  # noqa: S106 - a type token
        properties=_names("name=name", "kms_key_id=kmsKeyId", "retention_in_days=retentionInDays"),
        key=frozenset({"name"}),
        replaces=frozenset({"name"}),
        zero={"retentionInDays": 0},
    ),
    Kind(
        terraform="aws_db_subnet_group",
        token="aws:rds/subnetGroup:SubnetGroup",  # noqa: S106
        properties=_names("name=name", "description=description", "subnet_ids=subnetIds"),
        key=frozenset({"name"}),
        replaces=frozenset({"name"}),
        sets=frozenset({"subnetIds"}),
    ),
    Kind(
        terraform="aws_ec2_tag",
        token="aws:ec2/tag:Tag",  # noqa: S106
        properties=_names("resource_id=resourceId", "key=key", "value=value"),
        key=frozenset({"resourceId", "key"}),
        replaces=frozenset({"resourceId", "key"}),
        taggable=False,
        import_id=lambda found: f"{found.text('resource_id')},{found.text('key')}",
    ),
    Kind(
        terraform="aws_ecs_cluster",
        token="aws:ecs/cluster:Cluster",  # noqa: S106
        properties=_names(
            "name=name",
            "setting=settings",
            "configuration=configuration",
            "service_connect_defaults=serviceConnectDefaults",
        ),
        key=frozenset({"name"}),
        replaces=frozenset({"name"}),
        sets=frozenset({"settings"}),
        import_id=lambda found: found.text("name"),
    ),
    Kind(
        terraform="aws_iam_policy",
        token="aws:iam/policy:Policy",  # noqa: S106
        properties=_names("name=name", "description=description", "path=path", "policy=policy"),
        key=frozenset({"name"}),
        replaces=frozenset({"name", "description", "path"}),
        json=frozenset({"policy"}),
        zero={"path": "/"},
        import_id=lambda found: found.text("arn"),
    ),
    Kind(
        terraform="aws_iam_role",
        token="aws:iam/role:Role",  # noqa: S106
        properties=_names(
            "name=name",
            "path=path",
            "description=description",
            "assume_role_policy=assumeRolePolicy",
            "max_session_duration=maxSessionDuration",
            "permissions_boundary=permissionsBoundary",
        ),
        key=frozenset({"name"}),
        replaces=frozenset({"name", "path"}),
        json=frozenset({"assumeRolePolicy"}),
        zero={"path": "/", "maxSessionDuration": 3600},
        import_id=lambda found: found.text("name"),
    ),
    Kind(
        terraform="aws_iam_role_policy_attachment",
        token="aws:iam/rolePolicyAttachment:RolePolicyAttachment",  # noqa: S106
        properties=_names("role=role", "policy_arn=policyArn"),
        key=frozenset({"role", "policyArn"}),
        replaces=frozenset({"role", "policyArn"}),
        taggable=False,
        import_id=lambda found: f"{found.text('role')}/{found.text('policy_arn')}",
    ),
    Kind(
        terraform="aws_security_group",
        token="aws:ec2/securityGroup:SecurityGroup",  # noqa: S106
        properties=_names("name=name", "description=description", "vpc_id=vpcId"),
        key=frozenset({"name", "vpcId"}),
        replaces=frozenset({"name", "description", "vpcId"}),
    ),
    Kind(
        terraform="aws_service_discovery_private_dns_namespace",
        token="aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",  # noqa: S106
        properties=_names("name=name", "description=description", "vpc=vpc"),
        key=frozenset({"name", "vpc"}),
        replaces=frozenset({"name", "vpc"}),
        import_id=lambda found: f"{found.text('id')}:{found.text('vpc')}",
    ),
    Kind(
        terraform=f"{RULE}:ingress",
        token="aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",  # noqa: S106
        properties=_RULE_PROPERTIES,
        key=RULE_KEY,
        replaces=frozenset({"securityGroupId"}),
    ),
    Kind(
        terraform=f"{RULE}:egress",
        token="aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",  # noqa: S106
        properties=_RULE_PROPERTIES,
        key=RULE_KEY,
        replaces=frozenset({"securityGroupId"}),
    ),
)
KIND_OF_TOKEN = {kind.token: kind for kind in KINDS}


def kind_name(found: Found) -> str:
    """The ``terraform`` name of a found thing's kind; rules go by direction."""
    return f"{RULE}:{found.text('direction')}" if found.type == RULE else found.type
