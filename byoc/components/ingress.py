"""How a deployment's server is reached: a load balancer of its own."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from byoc import tags
from byoc.components.environment import PORT
from byoc.components.runtime_refs import RuntimeRefs
from byoc.components.spec import IngressSettings
from byoc.errors import ByocError, Problem
from byoc.naming import Names

TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
"""TLS 1.2 and 1.3 with forward secrecy (AWS docs: security policies, the recommended one)."""
DRAIN_SECONDS = 300
"""How long a container that is taken out may go on with the requests and streams it has, before it is asked to stop.
AWS's own default; a client whose stream is longer joins it again on another container, and a rollout waits no
longer."""
NAME_PREFIX_LIMIT = 6
"""Characters of a target group's name prefix (AWS provider)."""
HEALTH_PATH = "/ok"
"""Answers without asking database or cache (LangGraph docs), so that their failure does not kill every container;
also at the root when there is a mount prefix."""


@dataclass(frozen=True, kw_only=True)
class IngressArgs:
    """``mount_prefix``: the path under which the server answers, by default ``/``."""

    names: Names
    deployment: str
    ingress: IngressSettings
    runtime: RuntimeRefs
    mount_prefix: str | None = None


class Ingress(pulumi.ComponentResource):
    """An application load balancer with one listener and one target group.

    Internal, in the private subnets, unless ``internet-facing`` is asked for; then in the public ones, which needs a
    certificate: with one it listens on 443 alone, without on 80. Clients reach it as far as the runtime's load-balancer
    group lets them. A certificate is good for its own names: point one of them at ``dns_name``.

    A silent stream lives until the idle time-out. Raises ``ByocError`` for an internet-facing one without a
    certificate.
    """

    url: pulumi.Output[str]
    """Where the server answers, by the load balancer's own name."""
    dns_name: pulumi.Output[str]
    """The load balancer's DNS name: the target of a CNAME or alias record."""
    target_group_arn: pulumi.Output[str]
    """Where containers are registered."""
    load_balancer_arn_suffix: pulumi.Output[str]
    """The ``LoadBalancer`` dimension of its metrics."""
    target_group_arn_suffix: pulumi.Output[str]
    """The ``TargetGroup`` dimension of its metrics."""
    listener: aws.lb.Listener
    """For ``depends_on``; not an output."""

    def __init__(self, name: str, args: IngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:Ingress", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        settings, runtime = args.ingress, args.runtime
        internal = settings.scheme == "internal"
        _refuse_plain_http_in_public(args)
        deployment_tags = tags.deployment_tags(args.deployment)
        balancer = aws.lb.LoadBalancer(
            f"{name}-load-balancer",
            name=args.names.load_balancer(args.deployment),
            load_balancer_type="application",
            internal=internal,
            subnets=runtime.private_subnet_ids if internal else runtime.public_subnet_ids,
            security_groups=[runtime.load_balancer_security_group_id],
            idle_timeout=settings.idle_timeout_seconds,
            drop_invalid_header_fields=True,
            tags=deployment_tags,
            opts=child,
        )
        target_group = aws.lb.TargetGroup(
            f"{name}-target-group",
            # Named by the provider, so that a new one can be made and put in place before the old one goes.
            name_prefix=f"{args.names.prefix[: NAME_PREFIX_LIMIT - 1].rstrip('-')}-",
            port=PORT,
            protocol="HTTP",
            target_type="ip",
            vpc_id=runtime.vpc_id,
            deregistration_delay=DRAIN_SECONDS,
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                path=HEALTH_PATH,
                protocol="HTTP",
                matcher="200",
                interval=15,
                timeout=5,
                healthy_threshold=2,
                unhealthy_threshold=3,
            ),
            tags=deployment_tags,
            opts=child,
        )
        self.listener = aws.lb.Listener(
            f"{name}-listener",
            load_balancer_arn=balancer.arn,
            port=443 if settings.certificate_arn else 80,
            protocol="HTTPS" if settings.certificate_arn else "HTTP",
            certificate_arn=settings.certificate_arn,
            ssl_policy=TLS_POLICY if settings.certificate_arn else None,
            default_actions=[aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=target_group.arn)],
            tags=deployment_tags,
            opts=child,
        )
        scheme = "https" if settings.certificate_arn else "http"
        self.dns_name = balancer.dns_name
        self.url = pulumi.Output.concat(f"{scheme}://", balancer.dns_name, args.mount_prefix or "")
        self.target_group_arn = target_group.arn
        self.load_balancer_arn_suffix = balancer.arn_suffix
        self.target_group_arn_suffix = target_group.arn_suffix
        self.register_outputs(
            {
                "url": self.url,
                "dns_name": self.dns_name,
                "target_group_arn": self.target_group_arn,
                "load_balancer_arn_suffix": self.load_balancer_arn_suffix,
                "target_group_arn_suffix": self.target_group_arn_suffix,
            }
        )


def _refuse_plain_http_in_public(args: IngressArgs) -> None:
    if args.ingress.scheme == "internet-facing" and not args.ingress.certificate_arn:
        problem = Problem(
            key="ingress.certificateArn",
            value="none, with ingress.scheme internet-facing",
            allowed="the ARN of an ACM certificate of the same region",
            remedy="give one, or leave the scheme internal",
        )
        raise ByocError(
            f"deployment {args.deployment}: keys and prompts would cross the internet unencrypted\n{problem.render()}"
        )
