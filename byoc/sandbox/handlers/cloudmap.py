"""Cloud Map: private DNS namespace, and service."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Set
from typing import Any, ClassVar

from byoc.sandbox.handlers.base import AutoName, Aws, Diff, Handler, Properties
from byoc.sandbox.handlers.calls import found, ignoring, paginate, persist, present, single
from byoc.sandbox.handlers.tagging import CLOUD_MAP, TaggedHandler, TagShape, set_tags

_NAMESPACE_GONE = "NamespaceNotFound"
_SERVICE_GONE = "ServiceNotFound"
_IN_USE = "ResourceInUse"


class _CloudMap(TaggedHandler):
    """What both kinds have in common: a name, and tags by ARN."""

    autoname = AutoName()
    tag_api = CLOUD_MAP
    arn_type: str

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:  # noqa: ARG002
        """The ARN."""
        return f"arn:{aws.partition}:servicediscovery:{aws.region}:{aws.account_id}:{self.arn_type}/{id}"

    def ours(self, aws: Aws, ids: list[str], inputs: Properties, what: str) -> str | None:
        """The only one of ``ids`` with the tags of ``inputs``."""
        wanted = inputs.get("tagsAll") or {}
        return single([id for id in ids if _tags(aws, self.tag_target(aws, id, inputs)) == wanted], what)


class PrivateDnsNamespace(_CloudMap):
    """A private DNS namespace with its hosted zone. AWS makes and deletes it by an operation that takes a minute."""

    token = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"  # noqa: S105
    replace_on = frozenset({"name", "vpc"})
    arn_type = "namespace"

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``servicediscovery:CreatePrivateDnsNamespace``; only its finished operation tells the id."""
        answer = aws.client("servicediscovery").create_private_dns_namespace(
            Name=inputs["name"],
            Vpc=inputs["vpc"],
            CreatorRequestId=str(uuid.uuid4()),
            **present(Description=inputs.get("description")),
            **set_tags(inputs),
        )
        operation = _finished(aws, answer["OperationId"], f"namespace {inputs['name']}")
        return str(operation["Targets"]["NAMESPACE"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """Wait for operations under way, then by name and tags."""
        client = aws.client("servicediscovery")
        for state in ("SUBMITTED", "PENDING"):
            filters = [{"Name": "STATUS", "Values": [state], "Condition": "EQ"}]
            for operation in paginate(client, "list_operations", "Operations", Filters=filters):
                _finished(aws, operation["Id"], f"namespace {inputs['name']}", must_succeed=False)
        filters = [{"Name": "TYPE", "Values": ["DNS_PRIVATE"], "Condition": "EQ"}]
        namespaces = paginate(client, "list_namespaces", "Namespaces", Filters=filters)
        ids = [namespace["Id"] for namespace in namespaces if namespace["Name"] == inputs["name"]]
        return self.ours(aws, ids, inputs, "namespace")

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """The description."""
        super().modify(aws, id, changed - {"description"}, old, new)
        answer = aws.client("servicediscovery").update_private_dns_namespace(
            Id=id, UpdaterRequestId=str(uuid.uuid4()), Namespace={"Description": new.get("description") or ""}
        )
        _finished(aws, answer["OperationId"], f"update of namespace {id}")

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The namespace and its hosted zone; its tags are read as the provider reads them."""
        namespace = get_namespace(aws, id)
        if namespace is None:
            return None
        _tags(aws, namespace["Arn"])
        return {
            "arn": namespace["Arn"],
            "hostedZone": namespace.get("Properties", {}).get("DnsProperties", {}).get("HostedZoneId", ""),
            "name": namespace["Name"],
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The namespace. Cloud Map does not tell its VPC, so it is imported as ``{namespace}:{VPC}``."""
        namespace_id, separator, vpc_id = id.partition(":")
        namespace = get_namespace(aws, namespace_id)
        if namespace is None:
            return None
        vpc = {"vpc": vpc_id} if separator else {}
        tags = _tags(aws, namespace["Arn"])
        return {"description": namespace.get("Description"), "name": namespace["Name"], "tagsAll": tags, **vpc}

    def imported_id(self, aws: Aws, id: str) -> str:  # noqa: ARG002
        """Without the VPC."""
        return id.partition(":")[0]

    def delete(self, aws: Aws, id: str, state: Properties) -> None:  # noqa: ARG002
        """``servicediscovery:DeleteNamespace``, repeated while it has services; then wait for the operation."""
        operations: list[str] = []

        def delete() -> None:
            operations.append(aws.client("servicediscovery").delete_namespace(Id=id)["OperationId"])

        with ignoring(_NAMESPACE_GONE):
            persist(aws, f"deletion of namespace {id}", delete, _IN_USE)
        if operations:
            _finished(aws, operations[-1], f"deletion of namespace {id}")


class Service(_CloudMap):
    """A service: a DNS name in a namespace, under which its instances are found."""

    token = "aws:servicediscovery/service:Service"  # noqa: S105
    implied: ClassVar[Mapping[str, Any]] = {"forceDestroy": False}
    kept = frozenset({"namespaceId", "type"})
    replace_on = frozenset({"healthCheckCustomConfig", "name", "namespaceId", "type"})
    arn_type = "service"

    def diff(self, old: Properties, new: Properties) -> Diff:
        """Of the DNS records only the time to live can change in place; of a health check all but its type."""
        diff = super().diff(_stated(old), _stated(new))
        fixed = {"dnsConfig": _fixed_dns, "healthCheckConfig": _fixed_health_check}
        forced = {name for name in diff.changed & fixed.keys() if fixed[name](old) != fixed[name](new)}
        if not forced:
            return diff
        return Diff(diff.changed, diff.replaces | forced, self._keeps_fixed_name(old, new))

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``servicediscovery:CreateService``."""
        custom = inputs.get("healthCheckCustomConfig")
        custom_health = {"HealthCheckCustomConfig": _custom_health_check(custom)} if custom is not None else {}
        answer = aws.client("servicediscovery").create_service(
            Name=inputs["name"],
            CreatorRequestId=str(uuid.uuid4()),
            **present(
                NamespaceId=inputs.get("namespaceId"),
                Description=inputs.get("description"),
                DnsConfig=_dns_config(inputs),
                HealthCheckConfig=_health_check(inputs),
                Type=inputs.get("type"),
            ),
            **custom_health,
            **set_tags(inputs),
        )
        return str(answer["Service"]["Id"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By namespace, name and tags."""
        namespace = inputs.get("namespaceId") or (inputs.get("dnsConfig") or {}).get("namespaceId", "")
        filters = [{"Name": "NAMESPACE_ID", "Values": [namespace], "Condition": "EQ"}]
        services = paginate(aws.client("servicediscovery"), "list_services", "Services", Filters=filters)
        ids = [service["Id"] for service in services if service["Name"] == inputs["name"]]
        return self.ours(aws, ids, inputs, "Cloud Map service")

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """``servicediscovery:UpdateService`` with description, records and health check; then wait."""
        super().modify(aws, id, changed - {"description", "dnsConfig", "forceDestroy", "healthCheckConfig"}, old, new)
        if changed <= {"forceDestroy"}:
            return
        records = present(DnsRecords=_dns_config(new).get("DnsRecords"))
        change = present(DnsConfig=records, HealthCheckConfig=_health_check(new))
        answer = aws.client("servicediscovery").update_service(
            Id=id, Service={"Description": new.get("description") or "", **change}
        )
        _finished(aws, answer["OperationId"], f"update of Cloud Map service {id}")

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The service; its tags are read as the provider reads them."""
        client = aws.client("servicediscovery")
        answer = found(lambda: client.get_service(Id=id), _SERVICE_GONE)
        if answer is None:
            return None
        service = answer["Service"]
        _tags(aws, service["Arn"])
        return {
            "arn": service["Arn"],
            "name": service["Name"],
            "namespaceId": service.get("NamespaceId", ""),
            "type": service.get("Type") or "DNS_HTTP",
        }

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:  # noqa: ARG002
        """The service."""
        answer = found(lambda: aws.client("servicediscovery").get_service(Id=id), _SERVICE_GONE)
        if answer is None:
            return None
        service = answer["Service"]
        return {
            **_told_checks(service),
            "description": service.get("Description"),
            "dnsConfig": _told_dns(service),
            "name": service["Name"],
            "namespaceId": service.get("NamespaceId"),
            "tagsAll": _tags(aws, service["Arn"]),
            "type": service.get("Type"),
        }

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """With ``forceDestroy`` take its instances out; then delete, repeated while ECS takes out its own."""
        client = aws.client("servicediscovery")
        with ignoring(_SERVICE_GONE):
            for instance in (
                paginate(client, "list_instances", "Instances", ServiceId=id) if state.get("forceDestroy") else []
            ):
                answer = client.deregister_instance(ServiceId=id, InstanceId=instance["Id"])
                _finished(aws, answer["OperationId"], f"deregistration of {instance['Id']}")
            persist(aws, f"deletion of Cloud Map service {id}", lambda: client.delete_service(Id=id), _IN_USE)


def get_namespace(aws: Aws, id: str) -> dict[str, Any] | None:
    """A namespace as Cloud Map shows it, or None."""
    answer = found(lambda: aws.client("servicediscovery").get_namespace(Id=id), _NAMESPACE_GONE)
    return None if answer is None else dict(answer["Namespace"])


def _tags(aws: Aws, arn: str) -> dict[str, str]:
    return TagShape.UPPER.read(aws.client("servicediscovery").list_tags_for_resource(ResourceARN=arn).get("Tags"))


def _finished(aws: Aws, operation_id: str, what: str, *, must_succeed: bool = True) -> dict[str, Any]:
    """The operation once it is done; one that failed is an error with AWS's own reason."""
    last: dict[str, Any] = {}

    def done() -> bool:
        last.update(aws.client("servicediscovery").get_operation(OperationId=operation_id)["Operation"])
        return last["Status"] in ("SUCCESS", "FAIL")

    aws.wait(what, done)
    if last["Status"] == "FAIL" and must_succeed:
        raise RuntimeError(f"{what}: {last.get('ErrorCode', '')} {last.get('ErrorMessage', '')}")
    return last


def _dns_config(inputs: Properties) -> dict[str, Any]:
    config = inputs.get("dnsConfig") or {}
    records = [{"Type": item["type"], "TTL": int(item["ttl"])} for item in config.get("dnsRecords") or []]
    routing = (config.get("routingPolicy") or "MULTIVALUE") if config else None
    return present(NamespaceId=config.get("namespaceId"), RoutingPolicy=routing, DnsRecords=records)


def _health_check(inputs: Properties) -> dict[str, Any]:
    config = inputs.get("healthCheckConfig") or {}
    threshold = config.get("failureThreshold")
    return present(
        Type=config.get("type"),
        ResourcePath=config.get("resourcePath"),
        FailureThreshold=int(threshold) if threshold else None,
    )


def _custom_health_check(config: Properties) -> dict[str, Any]:
    threshold = config.get("failureThreshold")
    return {"FailureThreshold": int(threshold)} if threshold else {}


def _told_dns(service: Mapping[str, Any]) -> Properties | None:
    config = service.get("DnsConfig")
    if not config:
        return None
    return {
        "dnsRecords": [{"type": item["Type"], "ttl": item["TTL"]} for item in config.get("DnsRecords") or []],
        "namespaceId": config.get("NamespaceId") or service.get("NamespaceId"),
        "routingPolicy": config.get("RoutingPolicy") or "MULTIVALUE",
    }


def _told_checks(service: Mapping[str, Any]) -> Properties:
    check, custom = service.get("HealthCheckConfig"), service.get("HealthCheckCustomConfig")
    return {
        "healthCheckConfig": check
        and {
            "failureThreshold": check.get("FailureThreshold"),
            "resourcePath": check.get("ResourcePath"),
            "type": check.get("Type"),
        },
        "healthCheckCustomConfig": custom and {"failureThreshold": custom.get("FailureThreshold")},
    }


def _stated(inputs: Properties) -> Properties:
    """Inputs with the defaults of what stands inside them."""
    inside: dict[str, Properties] = {
        "dnsConfig": {"routingPolicy": "MULTIVALUE"},
        "healthCheckConfig": {"failureThreshold": 1},
    }
    given = {name: inputs[name] for name in inside if isinstance(inputs.get(name), dict) and inputs[name]}
    return {**inputs, **{name: {**inside[name], **value} for name, value in given.items()}}


def _fixed_dns(inputs: Properties) -> object:
    config = inputs.get("dnsConfig")
    if not isinstance(config, dict):
        return config
    records = config.get("dnsRecords") or []
    types = [record.get("type") if isinstance(record, dict) else record for record in records]
    return [config.get("namespaceId"), config.get("routingPolicy") or "MULTIVALUE", types]


def _fixed_health_check(inputs: Properties) -> object:
    config = inputs.get("healthCheckConfig")
    return config.get("type") if isinstance(config, dict) else config


HANDLERS: tuple[type[Handler], ...] = (PrivateDnsNamespace, Service)
