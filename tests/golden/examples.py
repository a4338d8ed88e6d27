"""The example stacks of the project, each run whole in the recording harness."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from byoc.project.stack_file import read_stack_file, stacks_of
from tests.components.deployments import COMPUTED
from tests.components.harness import Recording, Registration, run

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(__file__).resolve().parent
PASSPHRASE = "byoc-demo"
RENEW = "python -m tests.golden.renew"
STACKS = stacks_of(ROOT)

Document = dict[str, list[dict[str, Any]]]


def _subnets(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """The subnets of the adopted VPC; with tags asked for, the public ones of a found runtime."""
    asked_for_tags = any(item["name"].startswith("tag:") for item in arguments["filters"])
    last = range(1, 5) if not asked_for_tags else (3, 4)
    return {"ids": [f"subnet-0a1b2c3d4e5f6071{number}" for number in last]}


ANSWERS: Mapping[str, Any] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": {
        "names": ["us-west-2a", "us-west-2b", "us-west-2c", "us-west-2d"]
    },
    "aws:iam/getRoles:getRoles": {"arns": []},
    "aws:ec2/getVpc:getVpc": {"cidrBlock": "10.20.0.0/16", "enableDnsSupport": True, "enableDnsHostnames": True},
    "aws:ec2/getSubnets:getSubnets": _subnets,
    "aws:ec2/getSecurityGroups:getSecurityGroups": lambda arguments: {
        "ids": [f"sg-of-{arguments['filters'][0]['values'][0]}"],
        "vpcIds": ["vpc-0a1b2c3d4e5f60718"],
    },
    "aws:rds/getSubnetGroup:getSubnetGroup": {
        "vpcId": "vpc-0a1b2c3d4e5f60718",
        "subnetIds": ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"],
    },
    "aws:servicediscovery/getDnsNamespace:getDnsNamespace": {"id": "ns-0a1b2c3d4e5f6071"},
}
"""What AWS would say to the look-ups of the examples."""


@cache
def recorded(stack: str) -> Recording:
    """What the program of an example stack registers and asks for."""
    file = read_stack_file(ROOT, stack, passphrase=lambda: PASSPHRASE)
    return run(
        lambda: runpy.run_path(str(file.project.main / "__main__.py"), run_name="__main__"),
        answers=ANSWERS,
        computed=COMPUTED,
        stack=stack,
        config=file.config,
        secret_config=tuple(sorted(file.secret_keys)),
    )


def document_of(recording: Recording) -> Document:
    """What customers' states hold of a stack: a change of any of it is a change of public API."""
    resources = [_entry(registration) for registration in recording.registrations]
    return {"resources": sorted(resources, key=lambda entry: (entry["type"], entry["name"]))}


def _entry(registration: Registration) -> dict[str, Any]:
    kind, name = registration.parent.split("::")[2:4] if registration.parent else ("", "")
    parent_type = kind.rpartition("$")[2]
    return {
        "type": registration.type,
        "name": registration.name,
        "parent": "" if parent_type == "pulumi:pulumi:Stack" else f"{parent_type} {name}",
        "protect": registration.protect,
        "aliases": list(registration.aliases),
        "provider": _package(registration.provider),
    }


def _package(reference: str) -> str:
    """The package of a provider reference, such as ``aws``; empty for a component."""
    return reference.split("::")[2].removeprefix("pulumi:providers:") if reference else ""


def golden_file(stack: str) -> Path:
    return FOLDER / f"{stack}.json"


def as_text(document: Document) -> str:
    """One resource per line, so that a change reads well in a review."""
    lines = ",\n".join(f"    {json.dumps(entry)}" for entry in document["resources"])
    return f'{{\n  "resources": [\n{lines}\n  ]\n}}\n'
