"""What a stack asks of AWS, computed from its own resources: its program is run, without an engine, and written down.

AWS is not asked. Look-ups are answered as an account would that is made for the stack, and that has none of AWS's
service-linked roles: what is absent there the stack makes, so that nothing is left out.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from byoc.config import AccountConfig, DeploymentConfig, ExistingNetwork
from byoc.errors import ByocError, Problem
from byoc.permissions.needs.actions import Need, is_known
from byoc.permissions.needs.features import Feature
from byoc.permissions.needs.stack import stack_needs
from byoc.program_recording import Registered, record
from byoc.program_run import Program, script
from byoc.project.stack_file import StackFile
from byoc.stack_config import load_stack_config
from byoc.types import AwsAccount

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]
_ZONES = 6
"""The largest region has six zones (AWS docs: us-east-1)."""
_VPC, _GROUP, _NAMESPACE = "vpc-0a1b2c3d4e5f60718", "sg-0a1b2c3d4e5f60718", "ns-e4anhexample0004"
_SUBNETS = ("subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712")
_LATER: Mapping[str, str] = {"aws:iam/getRoles:getRoles": "aws:iam/getRole:getRole"}
"""Look-ups of later runs, by what they come of: a service-linked role that is there is asked whose it is."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a stack is made of."""

    registered: tuple[Registered, ...]
    functions: frozenset[str]
    """The look-ups of its runs, by token."""

    @property
    def types(self) -> frozenset[str]:
        """The types of its resources, those of components and providers left out."""
        return frozenset(item.type for item in self.registered if item.custom and not item.is_provider)

    def needs(self, features: Iterable[Feature] = ()) -> tuple[Need, ...]:
        """Every action that the stack calls for over its life, and those of ``features``; sorted.

        Raises :class:`~byoc.errors.ByocError` if it has a type, or makes a look-up, whose actions nobody has measured.
        """
        unknown = sorted(token for token in (*self.types, *self.functions) if not is_known(token))
        if unknown:
            problem = Problem(
                key="the stack's program",
                value=", ".join(unknown),
                allowed="the AWS types that this library makes",
                remedy="leave them out of the stack, and look their actions up at AWS",
            )
            raise ByocError(f"what these types ask of AWS was never measured\n{problem.render()}")
        return stack_needs(self.types, self.functions, features)


def planned(file: StackFile) -> Planned:
    """Run a stack's program without an engine; nothing is made and AWS is not asked.

    Raises :class:`~byoc.errors.ConfigError` for a config that is not whole, and what the program raises.
    """
    config = load_stack_config(file.config, file.secret_keys, source=file.path.name)
    program = Program(
        main=script(file.project.main / "__main__.py"),
        project=file.project.name,
        config=file.config,
        secret_keys=file.secret_keys,
    )
    answers = _Answers(config)
    registered = record(program, file.stack, lambda item: _outputs(config.account, item), answers)
    later = (_LATER[token] for token in answers.asked if token in _LATER)
    return Planned(registered=registered, functions=frozenset({*answers.asked, *later}))


def _outputs(account: AwsAccount, item: Registered) -> Mapping[str, Any]:
    """What a resource would be read as: an ARN where other resources speak of it by one, else its logical name."""
    named = {
        "aws:iam/role:Role": ("iam", "role"),
        "aws:iam/policy:Policy": ("iam", "policy"),
    }.get(item.type)
    if named is None or not isinstance(item.inputs.get("name"), str):
        return {"id": item.name, "arn": item.name}
    service, kind = named
    arn = account.arn(service, f"{kind}{item.inputs.get('path') or '/'}{item.inputs['name']}", region=False)
    return {"id": arn if kind == "policy" else item.inputs["name"], "arn": arn}


class _Answers:
    """Answers to look-ups, and which were asked for."""

    def __init__(self, config: AccountConfig | DeploymentConfig) -> None:
        zones = [f"{config.region}{letter}" for letter in string.ascii_lowercase[:_ZONES]]
        dns = {"enableDnsSupport": True, "enableDnsHostnames": True}
        self.asked: set[str] = set()
        self._table: Mapping[str, Mapping[str, Any]] = {
            "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": zones},
            "aws:iam/getRoles:getRoles": {"arns": []},
            "aws:ec2/getVpc:getVpc": {"id": _VPC, "cidrBlock": "10.0.0.0/16", **dns},
            "aws:ec2/getSubnets:getSubnets": {"ids": list(_subnets(config))},
            "aws:ec2/getSecurityGroups:getSecurityGroups": {"ids": [_GROUP], "vpcIds": [_VPC]},
            "aws:rds/getSubnetGroup:getSubnetGroup": {"vpcId": _VPC, "subnetIds": list(_SUBNETS)},
            "aws:servicediscovery/getDnsNamespace:getDnsNamespace": {"id": _NAMESPACE},
        }

    def __call__(self, token: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer; ``LookupError`` for a look-up that no program of this library makes."""
        if token not in self._table:
            raise LookupError(f"{token} is no look-up of this library: what it would answer is not known here")
        self.asked.add(token)
        return self._table[token]


def _subnets(config: AccountConfig | DeploymentConfig) -> tuple[str, ...]:
    """Those of a VPC that is there already; else some."""
    if isinstance(config, AccountConfig) and isinstance(config.network, ExistingNetwork):
        return (*config.network.private_subnet_ids, *config.network.public_subnet_ids)
    return _SUBNETS
