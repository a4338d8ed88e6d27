"""``--format operator``: objects for the Pulumi Kubernetes Operator, version 2.

Facts: github.com/pulumi/pulumi-kubernetes-operator, ``operator/api/pulumi/shared/stack_types.go`` and
``operator/api/auto/v1alpha1/workspace_types.go`` (the fields), ``docs/migration.md`` (a service account that may ask
the API server about tokens; references stay within one namespace).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from byoc.errors import Problem
from byoc.fleet import engine_needs
from byoc.fleet.kubernetes_names import LABEL_LIMIT, STACK_NAME_LIMIT, clashes, kubernetes_name
from byoc.fleet.settings import FleetSettings
from byoc.fleet.stacks import Fleet, FleetStack
from byoc.fleet.yaml_text import yaml_text

Manifest = dict[str, Any]
SHARED_FILE = "00-shared.yaml"
"""The file of what all stacks share; it comes first when a folder is applied."""

_PART_OF = {"app.kubernetes.io/part-of": "byoc-fleet", "app.kubernetes.io/managed-by": "byoc"}
_ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"


def problems(stacks: Sequence[FleetStack], fleet: Fleet, settings: FleetSettings) -> list[Problem]:
    """What the operator cannot do without, and names that it could not keep apart."""
    return [
        *engine_needs.state(settings),
        *engine_needs.passphrase(stacks, settings),
        *engine_needs.repository(settings),
        *engine_needs.revision(settings),
        *clashes(fleet.names),
    ]


def files(stacks: Sequence[FleetStack], fleet: Fleet, settings: FleetSettings) -> Iterator[tuple[str, str]]:
    """Name and text of each file, one at a time: what all stacks of the project share, then each stack."""
    yield SHARED_FILE, yaml_text(_shared_objects(fleet, settings))
    for stack in stacks:
        yield file_name(stack.name), yaml_text([_stack_object(stack, fleet, settings)])


def file_name(stack: str) -> str:
    """The file of a stack: called as Kubernetes calls it, where that is another name than its own."""
    return f"{_object_name(stack)}.yaml"


def _object_name(stack: str) -> str:
    return kubernetes_name(stack, STACK_NAME_LIMIT)


def _shared_objects(fleet: Fleet, settings: FleetSettings) -> list[Manifest]:
    namespace = settings.operator.namespace
    accounts = sorted(
        {_service_account_name(stack, settings): settings.roles.of(stack) for stack in fleet.stacks}.items()
    )
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": _PART_OF}},
        *(_service_account(name, role, namespace) for name, role in accounts),
        _binding([name for name, _ in accounts], namespace),
    ]


def _service_account_name(stack: FleetStack, settings: FleetSettings) -> str:
    """The service account under which a stack runs: one for each AWS role."""
    begin, template = settings.operator.service_account, settings.roles.template(stack.kind)
    if template is None:
        return begin
    account = f"-{stack.account}" if "{accountId}" in template else ""
    return kubernetes_name(f"{begin}-{stack.kind}{account}", LABEL_LIMIT)


def _service_account(name: str, role: str | None, namespace: str) -> Manifest:
    metadata: Manifest = {"name": name, "namespace": namespace, "labels": _PART_OF}
    if role is not None:
        metadata["annotations"] = {_ROLE_ANNOTATION: role}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def _binding(accounts: Sequence[str], namespace: str) -> Manifest:
    """Lets the pods ask the API server whether a caller is the operator; it grants nothing else."""
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{namespace}:system:auth-delegator", "labels": _PART_OF},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "system:auth-delegator"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace} for name in accounts],
    }


def _stack_object(stack: FleetStack, fleet: Fleet, settings: FleetSettings) -> Manifest:
    """The ``Stack`` object of one stack. Its config is the stack's file in the repository."""
    operator = settings.operator
    labels = {"byoc/kind": stack.kind, "byoc/account": stack.account, "byoc/region": stack.region}
    return {
        "apiVersion": "pulumi.com/v1",
        "kind": "Stack",
        "metadata": {
            "name": _object_name(stack.name),
            "namespace": operator.namespace,
            "labels": {**_PART_OF, **labels},
        },
        "spec": {
            "stack": settings.stack_name(fleet.project.name, stack.name),
            **({"backend": settings.backend} if settings.backend else {}),
            **_source(settings),
            # Stacks are made by whoever sets their secrets: a misspelt name fails instead of making a second install.
            "useLocalStackOnly": True,
            **_environment(settings),
            **_prerequisites(stack, fleet),
            "refresh": operator.refresh,
            "resyncFrequencySeconds": operator.resync_seconds,
            "serviceAccountName": _service_account_name(stack, settings),
            "workspaceReclaimPolicy": "Delete",  # hundreds of idle pods would hold memory for nothing
            "workspaceTemplate": {"spec": _workspace(settings)},
        },
    }


def _source(settings: FleetSettings) -> Manifest:
    source, token = settings.source, settings.operator.git_token
    revision = {"commit": source.commit} if source.commit else {"branch": source.branch}
    found: Manifest = {"projectRepo": source.repository, **revision, "repoDir": source.folder, "shallow": True}
    if token is not None:
        found["gitAuth"] = {"accessToken": _secret(token.name, token.key)}
    return found


def _environment(settings: FleetSettings) -> Manifest:
    references: Manifest = {
        name: {"type": "Literal", "literal": {"value": value}} for name, value in settings.environment.items()
    }
    references |= {name: _secret(settings.operator.environment_secret, name) for name in settings.secret_environment}
    return {"envRefs": dict(sorted(references.items()))} if references else {}


def _secret(name: str, key: str) -> Manifest:
    """A reference to a Kubernetes secret, in the namespace of the stacks: others are out of the operator's reach."""
    return {"type": "Secret", "secret": {"name": name, "key": key}}


def _prerequisites(stack: FleetStack, fleet: Fleet) -> Manifest:
    names = [_object_name(account.name) for account in fleet.account_stacks_of(stack)]
    return {"prerequisites": [{"name": name} for name in names]} if names else {}


def _workspace(settings: FleetSettings) -> Manifest:
    memory = {"memory": settings.operator.memory}
    return {
        "image": settings.operator.image or f"pulumi/pulumi:{settings.pulumi_version}-nonroot",
        "securityProfile": "restricted",
        "resources": {"requests": memory, "limits": memory},
    }
