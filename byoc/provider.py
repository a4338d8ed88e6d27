"""The only place that makes providers: which account, which region, as whom, with which tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from byoc.types import AwsAccount


@dataclass(frozen=True, kw_only=True)
class AssumeRole:
    """The role that the provider assumes before it calls AWS.

    ``external_id`` is handled as a secret, whether it is marked as one or not. ``session_name`` is what CloudTrail
    shows. ``duration`` is a Go duration between ``15m`` and ``12h``; by default AWS's own hour, which is also the most
    that a session of a role assumed by another role can have. The provider renews the session by itself.
    """

    role_arn: pulumi.Input[str]
    external_id: pulumi.Input[str]
    session_name: str = "byoc"
    duration: str | None = None


@dataclass(frozen=True, kw_only=True)
class IgnoreTags:
    """Tags that somebody else manages: the provider neither shows nor removes them."""

    keys: tuple[str, ...] = ()
    key_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProviderArgs:
    """How to reach an account.

    ``assume_role``: by default none, and the ambient credentials (environment, profile, instance role) are used as they
    are. ``default_tags`` are put on everything taggable. ``ignore_tags``: by default no tag is ignored.
    """

    account: AwsAccount
    assume_role: AssumeRole | None = None
    default_tags: Mapping[str, str] = field(default_factory=dict)
    ignore_tags: IgnoreTags = field(default_factory=IgnoreTags)


def aws_provider(name: str, args: ProviderArgs, opts: pulumi.ResourceOptions | None = None) -> aws.Provider:
    """The AWS provider of a stack.

    It refuses to work in any account but ``args.account``, whatever credentials it finds; so it asks STS who it is, and
    none of the provider's ``skip...`` settings that would keep it from asking is set.
    """
    ignored = args.ignore_tags
    ignores = bool(ignored.keys or ignored.key_prefixes)
    return aws.Provider(
        name,
        region=args.account.region,
        allowed_account_ids=[args.account.account_id],
        assume_roles=[_assumed(args.assume_role)] if args.assume_role else None,
        default_tags=aws.ProviderDefaultTagsArgs(tags=dict(args.default_tags)) if args.default_tags else None,
        ignore_tags=aws.ProviderIgnoreTagsArgs(
            keys=list(ignored.keys) or None, key_prefixes=list(ignored.key_prefixes) or None
        )
        if ignores
        else None,
        opts=opts,
    )


def _assumed(role: AssumeRole) -> aws.ProviderAssumeRoleArgs:
    return aws.ProviderAssumeRoleArgs(
        role_arn=role.role_arn,
        # The provider writes its configuration into the stack's state: secret here means encrypted there.
        external_id=pulumi.Output.secret(role.external_id),
        session_name=role.session_name,
        duration=role.duration,
    )


def random_provider(name: str, opts: pulumi.ResourceOptions | None = None) -> random.Provider:
    """The provider that makes passwords; it keeps them in the stack's state, encrypted, and calls nobody."""
    return random.Provider(name, opts=opts)
