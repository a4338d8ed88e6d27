"""What the policies of AWS that the documented mode attaches grant beyond need, counted and in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byoc.access.grants import Expand, allowing, grants_of
from byoc.access.needs import needed_actions
from byoc.access.probes import Probe, probes
from byoc.access.role import Role
from byoc.permissions.evaluation.evaluator import Document

PLAIN: Mapping[str, object] = {
    "allow_delete": True,
    "suspend": False,
    "observe_only": False,
    "event_rules": False,
    "permissions_boundary": None,
}
"""A role without a switch, to compare modes with."""
VARIANTS: Mapping[str, Mapping[str, object]] = {
    "documented": {"mode": "documented", "guardrails": False, **PLAIN},
    "guarded": {"mode": "documented", "guardrails": True, **PLAIN},
    "scoped": {"mode": "scoped", "guardrails": False, **PLAIN},
}
"""The three roles that there are to choose from."""
_PLAINLY = (
    ("run containers under any role of the account that trusts ECS tasks", ("iam:PassRole", "ecs:RunTask")),
    ("read and delete every secret of the account", ("secretsmanager:GetSecretValue", "secretsmanager:DeleteSecret")),
    (
        "change and delete every database of the account, in any region",
        ("rds:ModifyDBInstance", "rds:DeleteDBInstance", "rds:CreateDBInstance"),
    ),
    ("share every database snapshot with other accounts", ("rds:ModifyDBSnapshotAttribute",)),
    ("delete VPCs and open security groups", ("ec2:DeleteVpc", "ec2:AuthorizeSecurityGroupIngress")),
    ("start machines", ("ec2:RunInstances",)),
    ("make and delete CloudFormation stacks", ("cloudformation:CreateStack", "cloudformation:DeleteStack")),
    ("change and delete every EventBridge rule", ("events:PutRule", "events:DeleteRule")),
    (
        "delete every service and load balancer",
        ("ecs:DeleteService", "elasticloadbalancing:DeleteLoadBalancer"),
    ),
    ("change every service: another revision, or no container at all", ("ecs:UpdateService",)),
    ("delete every alarm", ("cloudwatch:DeleteAlarms",)),
)
"""The largest excesses, and the questions of :mod:`byoc.access.probes` that show them."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The actions of one service: how many a deployment needs, and how many each of the roles allows somewhere."""

    service: str
    needed: int
    role: int
    """What the role of this report allows."""
    scoped: int
    guarded: int
    documented: int


@dataclass(frozen=True, kw_only=True)
class Excess:
    """One thing that the policies of AWS allow and no deployment needs."""

    words: str
    actions: tuple[str, ...]
    granted_by: tuple[str, ...]
    """Policies of AWS."""
    documented: str
    """The answer in documented mode: ``possible``, ``refused``, or which part is possible."""
    guarded: str
    """With guardrails."""
    taken_back_by: tuple[str, ...]
    """Statements of the guardrails."""
    scoped: str


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """The whole comparison."""

    counted: tuple[Counted, ...]
    excesses: tuple[Excess, ...]
    difference: tuple[tuple[str, tuple[str, ...]], ...]
    """Action names by service: what this role allows and scoped mode does not; for a role without policies of AWS, what
    documented mode would allow and this role does not."""

    @property
    def actions(self) -> int:
        """How many actions the difference is."""
        return sum(len(actions) for _, actions in self.difference)

    @property
    def total(self) -> Counted:
        """All services together."""
        return Counted(
            service="all",
            needed=sum(item.needed for item in self.counted),
            role=sum(item.role for item in self.counted),
            scoped=sum(item.scoped for item in self.counted),
            guarded=sum(item.guarded for item in self.counted),
            documented=sum(item.documented for item in self.counted),
        )


def beyond(role: Role, expand: Expand) -> Beyond:
    """Hold a role against the others that its install could have; ``expand`` as in :mod:`byoc.access.grants`."""
    policies = {name: role.under(**settings) for name, settings in VARIANTS.items()}
    allowed = {name: _allowed(documents, expand) for name, documents in policies.items()}
    own = _allowed(role.reviewed, expand)
    more, less = (own, allowed["scoped"]) if role.grants.aws_managed else (allowed["documented"], own)
    answers = {name: {probe.request.action: probe for probe in probes(role, found)} for name, found in policies.items()}
    return Beyond(
        counted=tuple(_counted(allowed, own)),
        excesses=tuple(_excess(words, actions, answers) for words, actions in _PLAINLY),
        difference=_by_service(more - less),
    )


def _allowed(policies: Mapping[str, Document], expand: Expand) -> frozenset[str]:
    """The actions that policies allow on something, under some condition."""
    return frozenset(action for action, scopes in grants_of(policies, expand).items() if allowing(scopes))


def _counted(allowed: Mapping[str, frozenset[str]], own: frozenset[str]) -> list[Counted]:
    needed = needed_actions()

    def count(actions: frozenset[str], service: str) -> int:
        return sum(action.startswith(f"{service}:") for action in actions)

    return [
        Counted(
            service=service,
            needed=count(needed, service),
            role=count(own, service),
            scoped=count(allowed["scoped"], service),
            guarded=count(allowed["guarded"], service),
            documented=count(allowed["documented"], service),
        )
        for service in sorted(
            {action.partition(":")[0] for actions in (*allowed.values(), own, needed) for action in actions}
        )
    ]


def _excess(words: str, actions: tuple[str, ...], answers: Mapping[str, Mapping[str, Probe]]) -> Excess:
    documented, guarded = ([answers[name][action] for action in actions] for name in ("documented", "guarded"))
    return Excess(
        words=words,
        actions=actions,
        granted_by=tuple(dict.fromkeys(probe.why.partition(":")[0] for probe in documented if probe.decision.allowed)),
        documented=_answer(actions, answers["documented"]),
        guarded=_answer(actions, answers["guarded"]),
        taken_back_by=tuple(
            dict.fromkeys(
                str((probe.decision.statement or {}).get("Sid")) for probe in guarded if not probe.decision.allowed
            )
        ),
        scoped=_answer(actions, answers["scoped"]),
    )


def _answer(actions: tuple[str, ...], answers: Mapping[str, Probe]) -> str:
    possible = [action for action in actions if answers[action].decision.allowed]
    if not possible:
        return "refused"
    return "possible" if len(possible) == len(actions) else f"possible: {', '.join(possible)}"


def _by_service(actions: frozenset[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found: dict[str, list[str]] = {}
    for action in sorted(actions):
        service, _, name = action.partition(":")
        found.setdefault(service, []).append(name)
    return tuple((service, tuple(names)) for service, names in found.items())
