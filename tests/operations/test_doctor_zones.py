"""Zones of a network that is still to be made: those that the account has, not those that letters suggest."""

from __future__ import annotations

import collections
import dataclasses
import json
from typing import Any

import pytest

from byoc.access.required import planned
from byoc.operations.answers import DeniedError
from byoc.operations.doctor import database, quotas
from byoc.operations.doctor.asking import Absent, NoAnswer
from byoc.operations.doctor.checks import Check
from byoc.operations.doctor.doctor import subject_of
from byoc.operations.doctor.place import Place
from byoc.operations.doctor.quota_table import wants
from byoc.operations.doctor.subject import Subject
from byoc.operations.doctor.zones import in_real_zones
from byoc.operations.targets import Accounts, Stack
from byoc.project.stack_file import read_stack_file
from byoc.stack_config import load_stack_config
from tests.golden.examples import PASSPHRASE, ROOT
from tests.operations.fake_account import FakeAccount

ZONES = "ec2:DescribeAvailabilityZones"
NOT_YET: Place = Absent()


def subject_of_example(stack: str, answers: dict[str, Any], **network: Any) -> Subject:
    file = read_stack_file(ROOT, stack, passphrase=lambda: PASSPHRASE)
    if network:
        file = dataclasses.replace(file, config={**file.config, "byoc:network": json.dumps(network)})
    config = load_stack_config(file.config, file.secret_keys, source=file.path.name)
    found = subject_of(Stack(name=stack, config=config), planned(file), Accounts(), None)
    return in_real_zones(dataclasses.replace(found, account=FakeAccount(answers)))


def _zones(*letters: str) -> dict[str, Any]:
    return {"AvailabilityZones": [{"ZoneName": f"us-east-1{letter}"} for letter in letters]}


def _offers(*letters: str) -> dict[str, Any]:
    offer = {
        "EngineVersion": "16.8",
        "StorageType": "gp3",
        "MultiAZCapable": True,
        "AvailabilityZones": [{"Name": f"us-east-1{letter}"} for letter in letters],
    }
    return {
        "rds:DescribeDBEngineVersions": {"DBEngineVersions": [{"EngineVersion": "16.8"}]},
        "rds:DescribeOrderableDBInstanceOptions": {"OrderableDBInstanceOptions": [offer]},
    }


def _quotas(subject: Subject) -> tuple[Check, ...]:
    """Whatever AWS says of the other quotas."""
    account = FakeAccount({})
    account.answers = collections.defaultdict(lambda: DeniedError("x:Ask", ""))
    return quotas.judged(dataclasses.replace(subject, account=account))


@pytest.mark.slow
def test_a_class_is_looked_for_in_the_zones_that_the_account_has() -> None:
    subject = subject_of_example("all-in-one", {ZONES: _zones("d", "c", "a", "f"), **_offers("a", "c", "d")}, zones=2)
    classes = [check for check in database.judged(subject, NOT_YET) if check.name.startswith("class of")]
    assert classes
    assert {check.verdict.value for check in classes} == {"pass"}
    assert all(check.evidence.endswith("is offered in us-east-1a, us-east-1c") for check in classes)


@pytest.mark.slow
def test_nat_gateways_are_counted_in_the_zones_that_the_account_has() -> None:
    nat = {"NatGatewayId": "nat-1", "State": "available", "SubnetId": "subnet-1"}
    answers = {
        ZONES: _zones("c", "d", "e"),
        "ec2:DescribeSubnets": {"Subnets": [{"SubnetId": "subnet-1", "AvailabilityZone": "us-east-1c"}]},
        "ec2:DescribeNatGateways": {"NatGateways": [nat] * 5},
        "servicequotas:GetServiceQuota": {"Quota": {"Value": 5.0}},
    }
    subject = subject_of_example("all-in-one", answers, zones=2, nat="per-zone")
    first, second = (want for want in wants(subject) if want.place)
    facts = quotas.read_quota(subject, first.quota)
    checks = [quotas.judge_quota(want, facts) for want in (first, second)]
    assert [(check.name, check.verdict.value) for check in checks] == [
        ("NAT gateways in us-east-1c", "fail"),
        ("NAT gateways in us-east-1d", "pass"),
    ]


@pytest.mark.slow
def test_zones_that_cannot_be_asked_about_are_not_guessed() -> None:
    denied = DeniedError(ZONES, "")
    subject = subject_of_example("all-in-one", {ZONES: denied, **_offers("a", "b")}, zones=2)
    assert isinstance(subject.zones, NoAnswer)
    classes = [check for check in database.judged(subject, NOT_YET) if check.name.startswith("class of")]
    assert {check.verdict.value for check in classes} == {"unknown"}
    nats = [check for check in _quotas(subject) if check.name.startswith("NAT gateways")]
    assert [check.verdict.value for check in nats] == ["unknown"]
    assert "ec2:DescribeAvailabilityZones: denied" in nats[0].evidence
    named = subject_of_example("all-in-one", {ZONES: denied}, zones=["us-east-1b", "us-east-1f"])
    assert {want.place for want in wants(named)} >= {"us-east-1b"}  # nobody has to be asked
