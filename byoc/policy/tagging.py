"""Everything carries the tags by which an install and its deployments are known again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from byoc import tags
from byoc.policy.facts import UNKNOWN, Provider, Resource, Settings, Violation, parsed, violation

AWS_PROVIDER = "pulumi:providers:aws"
TAGGABLE = frozenset(
    {
        "aws:appautoscaling/target:Target",
        "aws:cloudwatch/eventRule:EventRule",
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:ec2/eip:Eip",
        "aws:ec2/internetGateway:InternetGateway",
        "aws:ec2/natGateway:NatGateway",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/subnet:Subnet",
        "aws:ec2/vpc:Vpc",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:ecr/repository:Repository",
        "aws:ecs/cluster:Cluster",
        "aws:ecs/service:Service",
        "aws:ecs/taskDefinition:TaskDefinition",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/serviceLinkedRole:ServiceLinkedRole",
        "aws:kms/key:Key",
        "aws:lb/listener:Listener",
        "aws:lb/loadBalancer:LoadBalancer",
        "aws:lb/targetGroup:TargetGroup",
        "aws:rds/cluster:Cluster",
        "aws:rds/clusterInstance:ClusterInstance",
        "aws:rds/instance:Instance",
        "aws:rds/parameterGroup:ParameterGroup",
        "aws:rds/subnetGroup:SubnetGroup",
        "aws:s3/bucket:Bucket",
        "aws:secretsmanager/secret:Secret",
        "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace",
        "aws:servicediscovery/service:Service",
        "aws:sns/topic:Topic",
        "aws:sqs/queue:Queue",
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    }
)
"""What is known to take tags. Any other type is judged once it has some: then it takes them."""
DEPLOYMENT_TYPE = "byoc:index:Deployment"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type


def tagged(resource: Resource, settings: Settings) -> Iterator[Violation]:
    """Every resource that takes tags carries the ``requiredKeys`` (by default ``byoc-install``), of its own or by the
    provider's default tags; what belongs to a deployment says which; its secrets carry the documented tag.
    """
    required = list(settings.get("requiredKeys", [tags.INSTALL_KEY]))
    if resource.type == AWS_PROVIDER:
        yield from _not_ignored(resource, required)
        return
    own, defaults = _tags_of(resource), _default_tags(resource.provider)
    if own is None or defaults is None or not _takes_tags(resource):
        return
    for key in [*required, *_by_place(resource)]:
        value = own.get(key) or defaults.get(key)
        if not value:
            yield violation(
                resource,
                f"tags: {key}",
                value,
                allowed="a value: by it an install's and a deployment's resources are found, billed and guarded",
                remedy="make the resource with a component of byoc, or put the tag among the provider's default tags",
            )
        elif key == tags.INSTALL_KEY and defaults.get(key) not in (None, UNKNOWN, value) and value is not UNKNOWN:
            yield violation(
                resource,
                f"tags: {key}",
                value,
                allowed=f"{defaults[key]}, the install of this stack's provider",
                remedy="leave the tag out: the provider puts it on everything",
            )


def _takes_tags(resource: Resource) -> bool:
    return resource.type in TAGGABLE or "tags" in resource.props or "tagsAll" in resource.props


def _tags_of(resource: Resource) -> dict[str, Any] | None:
    """A resource's own tags and those that the provider has added; None if a preview does not know them."""
    merged: dict[str, Any] = {}
    for key in ("tagsAll", "tags"):
        value = resource.get(key)
        if value is UNKNOWN:
            return None
        merged |= value or {}
    return merged


def _default_tags(provider: Provider | None) -> Mapping[str, Any] | None:
    """The provider's default tags; None if a preview does not know them."""
    given = parsed(provider.props.get("defaultTags")) if provider else None
    inner = given.get("tags") if isinstance(given, dict) else given
    if inner is UNKNOWN:
        return None
    return inner or {}


def _by_place(resource: Resource) -> Iterator[str]:
    """What a resource under a deployment must carry beside; the chain of parents' types stands in its URN."""
    chain = resource.urn.split("::")[2].split("$")[:-1] if resource.urn.count("::") >= 3 else []
    if DEPLOYMENT_TYPE in chain and ("tags" in resource.props or resource.type in TAGGABLE):
        yield tags.DEPLOYMENT_KEY
        if resource.type == SECRET:
            yield tags.SECRET_KEY


def _not_ignored(provider: Resource, required: list[str]) -> Iterator[Violation]:
    """A provider neither sets nor keeps the tags that it is told to ignore."""
    ignored = parsed(provider.get("ignoreTags"))
    if not isinstance(ignored, dict):
        return
    keys = [key for key in ignored.get("keys") or [] if isinstance(key, str)]
    prefixes = [prefix for prefix in ignored.get("keyPrefixes") or [] if isinstance(prefix, str)]
    for key in required:
        if key in keys or any(key.startswith(prefix) for prefix in prefixes):
            yield violation(
                provider,
                "ignoreTags",
                {"keys": keys, "keyPrefixes": prefixes},
                allowed=f"keys and prefixes that do not cover {key}",
                remedy="take it out of byoc:ignoreTags",
            )
