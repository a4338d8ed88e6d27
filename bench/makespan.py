"""How long a deployment takes when AWS takes its typical time, against the chain that nothing can shorten.

The emulator answers each creating call only after the time that AWS typically needs until the thing is ready, scaled
down. The chain: the database must be there before its URI is a secret, the secret before the task definition that pins
its version, the task definition before the service, and the service is done when its containers answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from bench.world import ACCOUNT, DEPLOYMENT, sandbox

SCALE = 10
"""Typical seconds are divided by this."""
TYPICAL_SECONDS = {
    "rds:CreateDBInstance": 420.0,
    "rds:CreateDBParameterGroup": 5.0,
    "elasticloadbalancing:CreateLoadBalancer": 150.0,
    "elasticloadbalancing:CreateTargetGroup": 2.0,
    "elasticloadbalancing:CreateListener": 2.0,
    "ecs:CreateService": 120.0,
    "ecs:RegisterTaskDefinition": 1.0,
    "servicediscovery:CreateService": 2.0,
    "secretsmanager:CreateSecret": 1.0,
    "secretsmanager:PutSecretValue": 1.0,
    "cloudwatch:PutMetricAlarm": 1.0,
    "application-autoscaling:RegisterScalableTarget": 1.0,
    "application-autoscaling:PutScalingPolicy": 1.0,
}
"""Until the thing is ready; round figures from experience with small resources in us-west-2, RDS the longest."""
CHAIN = (
    "rds:CreateDBParameterGroup",
    "rds:CreateDBInstance",
    "secretsmanager:PutSecretValue",
    "ecs:RegisterTaskDefinition",
    "ecs:CreateService",
    "cloudwatch:PutMetricAlarm",
)
"""What has to follow one another for a development deployment; the last are the alarms on the service."""


@dataclass(frozen=True)
class Makespan:
    """Seconds at AWS's typical speed."""

    taken: float
    chain: float
    one_by_one: float
    """What it would take if nothing ran at the same time."""

    @property
    def ratio(self) -> float:
        """How many times the chain it takes."""
        return self.taken / self.chain


def makespan() -> Makespan:
    """Bring up the example deployment once."""
    with sandbox() as workspace:
        workspace.up(ACCOUNT)
        client = workspace.start().client
        client.set_latency({action: seconds / SCALE for action, seconds in TYPICAL_SECONDS.items()})
        result = workspace.up(DEPLOYMENT)
        if not result.ok:
            raise RuntimeError(result.failures[0].render())
        actions = [str(record["action"]) for record in client.calls(run=result.run_id)]
        return Makespan(
            taken=result.seconds * SCALE,
            chain=sum(TYPICAL_SECONDS[action] for action in CHAIN),
            one_by_one=sum(TYPICAL_SECONDS.get(action, 0.0) for action in actions),
        )
