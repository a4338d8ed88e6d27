"""How long one ``byoc status`` takes over many stacks, and how much memory.

Each stack has a file with a key of its own, as stacks have. Of their deployments only what a status asks for is made,
with boto3: services, databases, load balancers and alarms. All stacks are of one account, or each of one of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import boto3
import yaml

from bench.measure import process
from bench.world import ACCOUNT, DEPLOYMENT, ROOT, sandbox
from byoc.aws_models import core_session
from byoc.config.access import CONTROL_PLANES
from byoc.naming import Names
from byoc.operations.many import each
from byoc.operations.stacks import read_stacks
from byoc.operations.status.alarms import alarm_subjects
from byoc.operations.targets import Accounts, Target, targets
from byoc.project.passphrase import PassphraseCrypter, new_salt
from byoc.sandbox.demo import PASSPHRASE
from byoc.sandbox.workspace import Workspace

COUNT = 200
_CLI = [
    "-c",
    "import atexit, os, pathlib; from bench.measure import peak_mib; from byoc.cli import main; "
    "atexit.register(lambda: pathlib.Path(os.environ['PEAK_FILE']).write_text(str(peak_mib()))); main()",
]
"""The command line, which leaves its peak memory behind."""


@dataclass(frozen=True)
class Look:
    """One ``byoc status --json`` as a process of its own; it fails unless every deployment is healthy."""

    stacks: int
    accounts: int
    calls: int
    seconds: float
    cpu_seconds: float
    peak_mib: float


def looks(sizes: Iterable[int] = (1, 20, COUNT)) -> list[Look]:
    """A status of so many stacks each, the last of all that there are; then of all of them in as many accounts."""
    sizes = sorted(sizes)
    with sandbox() as workspace:
        if not workspace.up(ACCOUNT).ok:
            raise RuntimeError("the account stack did not come up")
        _write_stacks(workspace, sizes[-1])
        _make_deployments(workspace, sizes[-1])
        found = [_look(workspace, size, 1) for size in sizes]
    with sandbox() as workspace:
        _write_stacks(workspace, sizes[-1], own_accounts=True)
        _make_accounts(workspace, sizes[-1])
        return [*found, _look(workspace, sizes[-1], sizes[-1])]


def _name(number: int) -> str:
    return f"agent-{number:03d}"


def _account(number: int) -> str:
    return f"{200_000_000_000 + number}"


def _look(workspace: Workspace, size: int, accounts: int) -> Look:
    client = workspace.start().client
    before = client.next_call()
    words = [_name(number) for number in range(size)]
    peak = workspace.root / "peak"
    env = {**workspace.cli_environment(), "PYTHONPATH": str(ROOT), "PEAK_FILE": str(peak)}
    timing = process([*_CLI, "status", *words, "--json"], cwd=workspace.root, env=env)
    calls = client.next_call() - before
    return Look(size, accounts, calls, timing.median, timing.cpu_seconds, float(peak.read_text()))


def _write_stacks(workspace: Workspace, count: int, *, own_accounts: bool = False) -> None:
    folder = workspace.root / "stacks"
    example = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{DEPLOYMENT}.yaml").read_text())
    opened = PassphraseCrypter.of_salt(example["encryptionsalt"], PASSPHRASE)
    secret = opened.decrypt(example["config"]["byoc:externalId"]["secure"])

    def write(number: int) -> None:
        salt = new_salt(PASSPHRASE)
        sealed = PassphraseCrypter.of_salt(salt, PASSPHRASE).encrypt(secret)
        config = {
            key: value
            for key, value in example["config"].items()
            if not (isinstance(value, dict) and "secure" in value)
        }
        config |= {
            "byoc:name": _name(number),
            "byoc:externalId": {"secure": sealed},
            "byoc:tracing": {"enabled": False},
        }
        if own_accounts:
            config["byoc:accountId"] = _account(number)
        path = folder / f"Pulumi.{_name(number)}.yaml"
        path.write_text(yaml.safe_dump({"encryptionsalt": salt, "config": config}))

    list(each(range(count), write, at_once=2))


def _make_deployments(workspace: Workspace, count: int) -> None:
    (first,) = targets(read_stacks(workspace.root, [_name(0)]), Accounts())
    maker = _Maker(workspace, first)
    for number in range(count):
        maker.make(replace(first, deployment=_name(number)))


def _make_accounts(workspace: Workspace, count: int) -> None:
    """Accounts with a deployment each, of whose runtime there is only what that needs, and the role."""

    def make(target: Target) -> None:
        maker = _Maker(workspace, target)
        maker.let_in(target)
        maker.make(target)

    stacks = read_stacks(workspace.root, [_name(number) for number in range(count)])
    list(each(targets(stacks, Accounts()), make, at_once=2))


class _Maker:
    """Makes what a status reads, as the account's administrator."""

    def __init__(self, workspace: Workspace, first: Target) -> None:
        client = workspace.start().client
        account = first.account.account
        keys = client.administrator(account.account_id).boto3
        self._session = boto3.Session(botocore_session=core_session(), region_name=account.region, **keys)
        self._endpoint = client.endpoint
        self._clients: dict[str, Any] = {}
        ec2 = self._client("ec2")
        # The install's own if there is one, else that which every account begins with.
        vpc = min(ec2.describe_vpcs()["Vpcs"], key=lambda item: bool(item["IsDefault"]))
        self._vpc = vpc["VpcId"]
        chosen = [{"Name": "vpc-id", "Values": [self._vpc]}]
        self._subnets = [item["SubnetId"] for item in ec2.describe_subnets(Filters=chosen)["Subnets"]][:2]
        self._groups = [item["GroupId"] for item in ec2.describe_security_groups(Filters=chosen)["SecurityGroups"]][:1]

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 clients are made at run time
        if service not in self._clients:
            self._clients[service] = self._session.client(service, endpoint_url=self._endpoint)
        return self._clients[service]

    def let_in(self, target: Target) -> None:
        """The cluster, and a cross-account role that may look."""
        role = target.account.role
        if role is None:
            raise RuntimeError(f"{target.stack} has no role to be looked at through")
        self._client("ecs").create_cluster(clusterName=target.names.cluster)
        name = role.role_arn.rpartition("/")[2]
        condition = {"StringEquals": {"sts:ExternalId": role.external_id}}
        trust = {"Effect": "Allow", "Principal": {"AWS": CONTROL_PLANES["us"]}, "Action": "sts:AssumeRole"}
        self._client("iam").create_role(
            RoleName=name, AssumeRolePolicyDocument=_document({**trust, "Condition": condition})
        )
        may = target.account.account.managed_policy_arn("ReadOnlyAccess")
        self._client("iam").attach_role_policy(RoleName=name, PolicyArn=may)

    def make(self, target: Target) -> None:
        """One deployment."""
        names, deployment = target.names, target.deployment
        group = self._balancer(names, deployment)
        for role in target.service_roles:
            self._service(names, deployment, role, group if role == "api" else None)
        self._client("rds").create_db_instance(
            DBInstanceIdentifier=names.database(deployment),
            DBInstanceClass="db.t4g.micro",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="postgres",
            MasterUserPassword="made-up-password",
        )
        for subject in alarm_subjects(target):
            self._client("cloudwatch").put_metric_alarm(
                AlarmName=names.alarm(deployment, subject),
                MetricName="CPUUtilization",
                Namespace="AWS/ECS",
                Statistic="Average",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanOrEqualToThreshold",
            )

    def _balancer(self, names: Names, deployment: str) -> str:
        elb = self._client("elbv2")
        balancer = elb.create_load_balancer(Name=names.load_balancer(deployment), Subnets=self._subnets)
        group: str = elb.create_target_group(
            Name=f"bench-{deployment}", Protocol="HTTP", Port=8000, VpcId=self._vpc, TargetType="ip"
        )["TargetGroups"][0]["TargetGroupArn"]
        elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancers"][0]["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return group

    def _service(self, names: Names, deployment: str, role: str, group: str | None) -> None:
        ecs = self._client("ecs")
        family = names.service(deployment, role)
        ecs.register_task_definition(
            family=family,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[{"name": role, "image": "example/agent:1", "essential": True}],
        )
        behind = [{"targetGroupArn": group, "containerName": role, "containerPort": 8000}] if group else []
        ecs.create_service(
            cluster=names.cluster,
            serviceName=family,
            taskDefinition=family,
            desiredCount=1,
            launchType="FARGATE",
            loadBalancers=behind,
            networkConfiguration={"awsvpcConfiguration": {"subnets": self._subnets, "securityGroups": self._groups}},
        )


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


if __name__ == "__main__":
    for found in looks():
        print(found)
