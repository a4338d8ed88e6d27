"""The policy pack under the real Pulumi CLI: a violation of each policy is refused. (test_life: the examples pass.)"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from byoc.policy.pack import policies
from tests.golden.examples import PASSPHRASE, ROOT

pytestmark = [pytest.mark.engine, pytest.mark.slow]

CLI = ROOT / ".tools" / "pulumi" / "bin"
PACK = ROOT / "byoc" / "policy"

PREAMBLE = """
import json
import pulumi
import pulumi_aws as aws

provider = aws.Provider(
    "aws",
    region="us-west-2",
    allowed_account_ids=["123456789012"],
    default_tags=aws.ProviderDefaultTagsArgs(tags={"byoc-install": "acme"}),
)
opts = pulumi.ResourceOptions(provider=provider)


def allow(**statement):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


"""

OPEN = """
group = aws.ec2.SecurityGroup("group", name="acme-{group}-sg", vpc_id="vpc-1", opts=opts)
aws.vpc.SecurityGroupIngressRule(
    "open", security_group_id=group.id, ip_protocol="tcp", from_port={port}, to_port={port}, {source}, opts=opts
)
"""

PROGRAMS = {
    "no-public-database": """
aws.rds.Instance(
    "it",
    identifier="it",
    instance_class="db.t4g.micro",
    storage_encrypted=True,
    publicly_accessible=True,
    opts=opts,
)
""",
    "databases-in-private-subnets": """
subnet = aws.ec2.Subnet("public", vpc_id="vpc-1", cidr_block="10.0.0.0/24", map_public_ip_on_launch=True, opts=opts)
aws.rds.SubnetGroup("it", subnet_ids=[subnet.id], opts=opts)
""",
    "databases-open-to-servers-alone": OPEN.format(group="data", port=5432, source='cidr_ipv4="10.0.0.0/16"'),
    "encryption-at-rest": 'aws.efs.FileSystem("it", encrypted=False, opts=opts)',
    "encryption-in-flight": """
actions = [aws.lb.ListenerDefaultActionArgs(type="fixed-response")]
aws.lb.Listener(
    "it",
    load_balancer_arn="arn:lb",
    protocol="HTTPS",
    port=443,
    ssl_policy="ELBSecurityPolicy-2016-08",
    default_actions=actions,
    opts=opts,
)
""",
    "plain-http-inside-alone": """
balancer = aws.lb.LoadBalancer("public", name="public", internal=False, subnets=["subnet-1"], opts=opts)
actions = [aws.lb.ListenerDefaultActionArgs(type="fixed-response")]
aws.lb.Listener(
    "it", load_balancer_arn=balancer.arn, protocol="HTTP", port=80, default_actions=actions, opts=opts
)
""",
    "no-open-ingress": OPEN.format(group="lb", port=22, source='cidr_ipv4="0.0.0.0/0"'),
    "open-at-load-balancers-alone": OPEN.format(group="service", port=443, source='cidr_ipv4="0.0.0.0/0"'),
    "required-tags": """
bare = aws.Provider("bare", region="us-west-2", allowed_account_ids=["123456789012"])
aws.sns.Topic("it", opts=pulumi.ResourceOptions(provider=bare))
""",
    "no-default-provider": 'aws.ec2.Route("it", route_table_id="rtb-1", destination_cidr_block="10.0.0.0/8")',
    "no-wildcard-trust": """
aws.iam.Role("it", assume_role_policy=allow(Principal={"AWS": "*"}, Action="sts:AssumeRole"), opts=opts)
""",
    "no-wildcard-permissions": 'aws.iam.Policy("it", policy=allow(Action="*", Resource="*"), opts=opts)',
}
"""For each policy, a program that violates it and no other; ``it`` or ``open`` is the resource that does."""


class Project:
    """A Pulumi project in a folder of its own, with a backend and a home there, and the CLI that runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        plugins = folder / "plugins"
        plugins.mkdir(parents=True)
        (folder / "state").mkdir()
        for package in ("aws", "random"):
            plugin = plugins / f"pulumi-resource-{package}"
            plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tests.engine.policy_echo_provider {package}\n')
            plugin.chmod(0o755)
        self._environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(plugins), str(CLI), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def pulumi(self, *arguments: str) -> tuple[int, str]:
        """The exit code, and everything that the CLI wrote."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--color", "never", *arguments],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        return done.returncode, done.stdout


def small_project(folder: Path, program: str) -> Project:
    project = Project(folder)
    options = {"virtualenv": str(ROOT / ".venv")}
    description = {"name": "small", "runtime": {"name": "python", "options": options}}
    (folder / "Pulumi.yaml").write_text(json.dumps(description))
    (folder / "__main__.py").write_text(PREAMBLE + program)
    assert project.pulumi("stack", "init", "dev")[0] == 0
    return project


@pytest.mark.parametrize("policy", sorted(PROGRAMS))
def test_a_program_that_violates_a_policy_is_refused_in_the_preview(policy: str, tmp_path: Path) -> None:
    project = small_project(tmp_path, PROGRAMS[policy])
    code, output = project.pulumi("preview", "--policy-pack", str(PACK))
    assert code != 0, output
    assert _violated(output) == [policy], output
    assert "mend it: " in output
    assert project.pulumi("preview")[0] == 0, "without the pack the program is as good as any"


def test_an_update_makes_nothing_that_violates_a_policy(tmp_path: Path) -> None:
    project = small_project(tmp_path, PROGRAMS["no-wildcard-trust"])
    code, output = project.pulumi("up", "--yes", "--skip-preview", "--policy-pack", str(PACK))
    assert code != 0
    assert _violated(output) == ["no-wildcard-trust"]
    resources = json.loads(project.pulumi("stack", "export")[1])["deployment"].get("resources", [])
    assert [resource["type"] for resource in resources if resource["type"].startswith("aws:")] == []


def test_the_config_of_the_pack_opens_a_port_and_lowers_a_level(tmp_path: Path) -> None:
    program = OPEN.format(group="service", port=80, source='cidr_ipv4="0.0.0.0/0"')
    project = small_project(tmp_path, program)
    assert project.pulumi("preview", "--policy-pack", str(PACK))[0] != 0
    config = tmp_path / "policies.json"
    config.write_text(json.dumps({"no-open-ingress": {"openPorts": [80]}, "open-at-load-balancers-alone": "advisory"}))
    code, output = project.pulumi("preview", "--policy-pack", str(PACK), "--policy-pack-config", str(config))
    assert code == 0, output
    assert "[advisory]" in output
    config.write_text(json.dumps({"no-open-ingress": {"openPorts": ["ssh"]}}))
    code, output = project.pulumi("preview", "--policy-pack", str(PACK), "--policy-pack-config", str(config))
    assert code != 0
    assert "openPorts" in output


def test_every_policy_has_a_program_that_violates_it() -> None:
    assert sorted(PROGRAMS) == sorted(policy.name for policy in policies())


def _violated(output: str) -> list[str]:
    """The policies that the CLI says are violated."""
    names = [policy.name for policy in policies()]
    lines = [line for line in output.splitlines() if "[mandatory]" in line]
    return [name for name in names if any(f" {name} " in line for line in lines)]
