"""The documented tags, and the tags by which this library knows its own resources again."""

from __future__ import annotations

ENABLED_KEY = "langgraph-cloud-enabled"
"""On the VPC, subnets, cluster, security groups and namespace of an install; the value is ``1``."""
PRIVATE_KEY = "langgraph-cloud-private"
"""On subnets: ``1`` where tasks and databases live, ``0`` where public load balancers live."""
SECRET_KEY = "langgraph-cloud"  # noqa: S105 - the name of a tag
"""On secrets; the value is the install's name prefix. The task execution role reads only secrets that carry it."""
INSTALL_KEY = "byoc-install"
"""On everything taggable: the install's name prefix."""
DEPLOYMENT_KEY = "byoc-deployment"
"""On everything of one deployment: the deployment's name."""
POLICIES_VERSION_KEY = "byoc-policies-version"
"""On the IAM policies of an install: the version of their documents
(``byoc.permissions.policies.access.POLICIES_VERSION``)."""
COPY_OF_KEY = "byoc-copy-of"
"""On a task definition that ``byoc rollback`` registered: the revision whose content it has. No stack knows of it."""
RETENTION_KEY = "byoc-retention"
"""On the environment secret of a deployment with ``retention``: what ``byoc retention`` has seen so far. Pulumi leaves
it alone."""

ENABLED = {ENABLED_KEY: "1"}
PRIVATE_SUBNET = {ENABLED_KEY: "1", PRIVATE_KEY: "1"}
PUBLIC_SUBNET = {ENABLED_KEY: "1", PRIVATE_KEY: "0"}


def install_tags(prefix: str) -> dict[str, str]:
    """The tags of everything that an install makes; set as the provider's default tags."""
    return {INSTALL_KEY: prefix}


def deployment_tags(deployment: str) -> dict[str, str]:
    """The tags of everything that belongs to one deployment."""
    return {DEPLOYMENT_KEY: deployment}


def secret_tags(prefix: str, deployment: str) -> dict[str, str]:
    """The tags of a deployment's secrets: the documented tag, and the deployment's."""
    return {SECRET_KEY: prefix, **deployment_tags(deployment)}
