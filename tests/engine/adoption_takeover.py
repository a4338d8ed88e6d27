"""An account of the documented module, taken over by the real CLI with the commands that ``byoc adopt`` shows."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.engine.real_world import Ran, RealWorld
from tests.sandbox.adoption_stage import DocumentedAccount
from tests.sandbox.sandbox_world import World, Worlds, is_read

STACK = "taken"
_TIMEOUT_SECONDS = 120


@dataclass
class Account:
    """An account as the documented module leaves it, and a project that has no stack for it yet."""

    world: World
    documented: DocumentedAccount = field(init=False)
    real: RealWorld = field(init=False)

    def __post_init__(self) -> None:
        self.documented = DocumentedAccount(self.world)
        self.real = RealWorld(self.world)

    @property
    def environment(self) -> dict[str, str]:
        """That of the CLI, with the credentials with which a scan looks at the account."""
        credentials = self.world.client.administrator(self.world.account_id).boto3
        return {
            **self.real.environment,
            "AWS_ENDPOINT_URL": self.world.client.endpoint,
            **{key.upper(): str(credentials[key]) for key in ("aws_access_key_id", "aws_secret_access_key")},
        }

    def source(self, name: str) -> list[str]:
        """The words that tell ``byoc adopt`` where to look."""
        if name == "terraform":
            return ["--terraform", str(self.documented.state)]
        return ["--scan", "--account", self.world.account_id, "--region", self.world.region]

    def adopt(self, source: str, *words: str, without: Sequence[str] = ()) -> dict[str, Any]:
        """What ``byoc adopt --json`` prints, as the installed command; ``without``: variables that are not set."""
        command = ["byoc", "adopt", *self.source(source), "--stack", STACK, "--json", *words]
        environment = {key: value for key, value in self.environment.items() if key not in without}
        ran = subprocess.run(
            command, cwd=self.world.root, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS
        )
        assert ran.returncode == 0, ran.stderr
        document: dict[str, Any] = json.loads(ran.stdout)
        return document

    def type_in(self, step: str) -> Ran:
        """Type one of the commands that were shown into a shell; questions are answered with yes."""
        asks = step.startswith(("pulumi import", "pulumi stack rm", "pulumi up"))
        line = f"{step} --yes" if asks else step
        ran = subprocess.run(
            ["sh", "-c", line],
            cwd=self.world.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
        return Ran(shlex.split(line)[1:], ran.returncode, ran.stdout, "")

    def plan(self) -> list[dict[str, Any]]:
        """The steps of ``pulumi preview --json``."""
        text = self.real.preview(STACK, "--json").done().text
        found: list[dict[str, Any]] = json.loads(text[text.index("{") : text.rindex("}") + 1])["steps"]
        return found

    def identities(self) -> dict[str, object]:
        """What AWS gave each thing of the module when it was made; another thing of the same name has another."""
        iam, ec2 = self.world.aws("iam"), self.world.aws("ec2")
        roles = {role["RoleName"]: role["RoleId"] for role in iam.list_roles()["Roles"]}
        policies = {item["PolicyName"]: item["PolicyId"] for item in iam.list_policies(Scope="Local")["Policies"]}
        groups = {item["GroupName"]: item["GroupId"] for item in ec2.describe_security_groups()["SecurityGroups"]}
        spaces = self.world.aws("servicediscovery").list_namespaces()["Namespaces"]
        return {
            **{name: id_ for name, id_ in roles.items() if name.startswith("LangGraphCloud")},
            **policies,
            **{name: id_ for name, id_ in groups.items() if name.startswith("langgraph-cloud")},
            **{item["Name"]: item["Id"] for item in spaces},
            "vpcs": sorted(vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]),
            "subnets": sorted(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"]),
            "clusters": self.world.aws("ecs").list_clusters()["clusterArns"],
            "logs": [
                (group["logGroupName"], group["creationTime"])
                for group in self.world.aws("logs").describe_log_groups()["logGroups"]
            ],
        }


@dataclass(frozen=True)
class Takeover:
    """What was seen while an account was taken over."""

    account: Account
    document: Mapping[str, Any]
    """What ``byoc adopt`` told before."""
    identities: Mapping[str, object]
    inventory: Sequence[Mapping[str, str]]
    import_calls: Sequence[str]
    """The actions of ``pulumi import`` that are no reads."""
    shown: Sequence[str]
    """What every command wrote, and ``pulumi stack export`` after the import and after ``up``."""
    plan: Sequence[Mapping[str, Any]]
    """The first preview's steps."""
    up: Ran
    after: Sequence[Ran]
    """A preview, a refresh, and a preview that refreshes, each of which is to find nothing to do."""
    identities_after: Mapping[str, object]
    inventory_after: Sequence[Mapping[str, str]]

    def planned(self, operation: str) -> dict[str, set[str]]:
        """The preview's steps of one kind by logical name, with the inputs that change; ``tagsAll`` are tags."""
        return {
            step["urn"].rsplit("::", 1)[1]: {
                "tags" if key == "tagsAll" else key for key in step.get("diffReasons") or ()
            }
            for step in self.plan
            if step["op"] == operation and "::pulumi:providers:" not in step["urn"]
        }


def taken_over(worlds: Worlds, source: str) -> Takeover:
    """Take a documented account over, command by command."""
    account = Account(worlds.new())
    world, real = account.world, account.real
    identities, inventory = account.identities(), world.inventory()
    document = account.adopt(source)
    init, imports, preview, up = document["next"]
    shown = [account.type_in(init).done().text]
    since = world.client.next_call()
    shown.append(account.type_in(imports).done().text)
    actions = [str(call["action"]) for call in world.calls(since=since)]
    shown.append(real.exported(STACK))
    plan = account.plan()
    shown.append(account.type_in(preview).done().text)
    ran = account.type_in(up).done()
    shown += [ran.text, real.exported(STACK)]
    after = [
        real.preview(STACK, "--expect-no-changes"),
        real.refresh(STACK, "--expect-no-changes"),
        real.preview(STACK, "--refresh", "--expect-no-changes"),
    ]
    return Takeover(
        account=account,
        document=document,
        identities=identities,
        inventory=inventory,
        import_calls=[action for action in actions if not is_read(action)],
        shown=[*shown, json.dumps(document)],
        plan=plan,
        up=ran,
        after=after,
        identities_after=account.identities(),
        inventory_after=world.inventory(),
    )
