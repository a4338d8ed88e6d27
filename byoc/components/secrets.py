"""A deployment's values in Secrets Manager, and how a task definition refers to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.naming import Names


@dataclass(frozen=True)
class StoredSecret:
    """A secret and the version of it that this run wants."""

    secret: aws.secretsmanager.Secret
    version: aws.secretsmanager.SecretVersion

    def reference(self, key: str) -> pulumi.Output[str]:
        """What a container's ``valueFrom`` says for one key of the JSON object: pinned to the version.

        So a changed value is a changed task definition, and a task definition never changes its values (AWS docs:
        "Pass Secrets Manager secrets through Amazon ECS environment variables").
        """
        return pulumi.Output.concat(self.secret.arn, ":", key, "::", self.version.version_id)


def store(
    name: str,
    *,
    names: Names,
    deployment: str,
    content: str,
    values: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> StoredSecret:
    """Put ``values`` as one JSON object under the physical name ``names.secret(deployment, content)``.

    Costs what AWS asks for one secret. A destroy deletes it at once, without the usual days of recovery, so that the
    name can be used again; a changed value is a new version, made before the old one is given up.
    """
    secret = aws.secretsmanager.Secret(
        name,
        name=names.secret(deployment, content),
        description=f"The {content} of LangGraph deployment {deployment}",
        recovery_window_in_days=0,
        tags=tags.secret_tags(names.prefix, deployment),
        opts=opts,
    )
    version = aws.secretsmanager.SecretVersion(
        f"{name}-version",
        secret_id=secret.id,
        secret_string=pulumi.Output.json_dumps(dict(values), sort_keys=True),
        opts=opts,
    )
    return StoredSecret(secret, version)


@dataclass(frozen=True, kw_only=True)
class SecretsArgs:
    """``environment``: what a user set and every key. ``connections``: how to reach database and cache."""

    names: Names
    deployment: str
    environment: Mapping[str, pulumi.Input[str]]
    connections: Mapping[str, pulumi.Input[str]]


class Secrets(pulumi.ComponentResource):
    """The two secrets of a deployment; both carry the documented tag, by which the task execution role may read them.

    Two, because the environment changes with a revision and is there at once, while the connections stay and wait
    for the database.
    """

    environment_secret_arn: pulumi.Output[str]
    """ARN of the secret with every variable that the user set."""
    connections_secret_arn: pulumi.Output[str]
    """ARN of the secret with the connection URIs."""
    environment: StoredSecret
    """For references; not an output."""
    connections: StoredSecret
    """For references; not an output."""

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:Secrets", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.environment = store(
            f"{name}-environment",
            names=args.names,
            deployment=args.deployment,
            content="environment",
            values=args.environment,
            opts=child,
        )
        self.connections = store(
            f"{name}-connections",
            names=args.names,
            deployment=args.deployment,
            content="connections",
            values=args.connections,
            opts=child,
        )
        self.environment_secret_arn = self.environment.secret.arn
        self.connections_secret_arn = self.connections.secret.arn
        self.register_outputs(
            {
                "environment_secret_arn": self.environment_secret_arn,
                "connections_secret_arn": self.connections_secret_arn,
            }
        )
