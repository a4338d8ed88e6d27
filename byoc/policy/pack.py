"""The policies: each rule with its name, its reason, its config and where it comes from."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyConfigSchema,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)

from byoc import tags
from byoc.policy.at_rest import encrypted_at_rest
from byoc.policy.databases import in_private_subnets, not_public, open_to_servers_alone
from byoc.policy.facts import Provider, Resource, ResourceRule, StackRule, plain
from byoc.policy.in_flight import encrypted_in_flight, plain_http_inside_alone
from byoc.policy.ingress import HTTPS_PORT, only_at_load_balancers, only_open_ports
from byoc.policy.permissions import no_wildcard_permissions
from byoc.policy.providers import explicit_provider
from byoc.policy.tagging import tagged
from byoc.policy.trust import no_wildcard_trust

NAME = "byoc"
AWS_DOCS = "https://docs.aws.amazon.com"

_TEXTS = {"type": "array", "items": {"type": "string"}}


def policies() -> list[Policy]:
    """All policies, in the order of docs/policies.md; each is mandatory unless the user's config says otherwise."""
    return [
        _of_resources(
            "no-public-database",
            "A database has no public address.",
            not_public,
            url=f"{AWS_DOCS}/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
        ),
        _of_stack(
            "databases-in-private-subnets",
            "A database's subnet group holds private subnets alone.",
            in_private_subnets,
            url=f"{AWS_DOCS}/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
        ),
        _of_stack(
            "databases-open-to-servers-alone",
            "Databases and caches are reached by the install's servers alone.",
            open_to_servers_alone,
            url=f"{AWS_DOCS}/AmazonRDS/latest/UserGuide/Overview.RDSSecurityGroups.html",
        ),
        _of_resources(
            "encryption-at-rest",
            "What is stored is encrypted.",
            encrypted_at_rest,
            url=f"{AWS_DOCS}/AmazonRDS/latest/UserGuide/Overview.Encryption.html",
            config={"topicKeys": {"type": "boolean", "default": False}},
        ),
        _of_resources(
            "encryption-in-flight",
            "Listeners speak modern TLS, and databases refuse plain connections.",
            encrypted_in_flight,
            url=f"{AWS_DOCS}/elasticloadbalancing/latest/application/describe-ssl-policies.html",
            config={"tlsPolicies": _TEXTS},
        ),
        _of_stack(
            "plain-http-inside-alone",
            "HTTP is spoken inside the VPC alone, or to redirect to HTTPS.",
            plain_http_inside_alone,
            url=f"{AWS_DOCS}/elasticloadbalancing/latest/application/create-https-listener.html",
        ),
        _of_resources(
            "no-open-ingress",
            "Nothing is open to everyone but HTTPS.",
            only_open_ports,
            url=f"{AWS_DOCS}/vpc/latest/userguide/security-group-rules.html",
            config={
                "openPorts": {
                    "type": "array",
                    "items": {"type": "integer", "minimum": 1, "maximum": 65535},
                    "default": [HTTPS_PORT],
                }
            },
        ),
        _of_stack(
            "open-at-load-balancers-alone",
            "What is open to everyone is a load balancer.",
            only_at_load_balancers,
            url=f"{AWS_DOCS}/vpc/latest/userguide/security-group-rules.html",
        ),
        _of_resources(
            "required-tags",
            "Everything carries the tags of its install and deployment.",
            tagged,
            url=f"{AWS_DOCS}/whitepapers/latest/tagging-best-practices/tagging-best-practices.html",
            config={"requiredKeys": {**_TEXTS, "default": [tags.INSTALL_KEY]}},
            severity=Severity.MEDIUM,
        ),
        _of_resources(
            "no-default-provider",
            "Everything is made through a provider of the program's own.",
            explicit_provider,
            url="https://www.pulumi.com/docs/iac/concepts/resources/providers/",
        ),
        _of_resources(
            "no-wildcard-trust",
            "Roles and resources trust nobody who is not named.",
            no_wildcard_trust,
            url=f"{AWS_DOCS}/IAM/latest/UserGuide/reference_policies_elements_principal.html",
            config={"trustedAccounts": {**_TEXTS, "default": []}},
        ),
        _of_resources(
            "no-wildcard-permissions",
            "No policy allows everything.",
            no_wildcard_permissions,
            url=f"{AWS_DOCS}/IAM/latest/UserGuide/best-practices.html",
        ),
    ]


def serve() -> None:
    """Serve the pack to the engine that has started this process, until it ends it."""
    # The SDK writes its port and waits, without a flush; the engine waits for the port.
    sys.stdout = io.TextIOWrapper(io.FileIO(sys.stdout.fileno(), "wb", closefd=False), write_through=True)
    PolicyPack(NAME, policies(), enforcement_level=EnforcementLevel.MANDATORY)


def _of_resources(
    name: str,
    description: str,
    rule: ResourceRule,
    *,
    url: str,
    config: Mapping[str, dict[str, Any]] | None = None,
    severity: Severity = Severity.HIGH,
) -> Policy:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        resource = Resource(args.resource_type, args.name, plain(args.props), args.urn, _provider(args))
        for found in rule(resource, args.get_config()):
            report(found.message, None)

    return ResourceValidationPolicy(
        name,
        description,
        validate=validate,
        enforcement_level=EnforcementLevel.MANDATORY,
        config_schema=PolicyConfigSchema(dict(config)) if config else None,
        severity=severity,
        url=url,
    )


def _of_stack(name: str, description: str, rule: StackRule, *, url: str) -> Policy:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        for found in rule([_in_stack(resource) for resource in args.resources], args.get_config()):
            report(found.message, found.resource.urn)

    return StackValidationPolicy(
        name,
        description,
        validate=validate,
        enforcement_level=EnforcementLevel.MANDATORY,
        severity=Severity.HIGH,
        url=url,
    )


def _provider(args: ResourceValidationArgs) -> Provider | None:
    if args.provider is None:
        return None
    return Provider(args.provider.resource_type, args.provider.name, plain(args.provider.props))


def _in_stack(resource: PolicyResource) -> Resource:
    taken_from = {
        key: tuple(source.urn for source in sources) for key, sources in resource.property_dependencies.items()
    }
    return Resource(resource.resource_type, resource.name, plain(resource.props), resource.urn, None, taken_from)
