"""The zones of a network that is still to be made, as this account has them.

Not every account has the same zones, and letters are left out in some regions: what a config computes without AWS (the
first so many letters) is a stand-in for the first so many zones that AWS names.
"""

from __future__ import annotations

import dataclasses

from byoc.config import AccountConfig, CreateNetwork
from byoc.operations.account import Account
from byoc.operations.doctor.asking import NoAnswer, known_or_absent
from byoc.operations.doctor.subject import SUBNET, Subject


def in_real_zones(subject: Subject) -> Subject:
    """The stack with the zones that its program will find; as it is, where the config names them or there are none."""
    config = subject.config
    if not isinstance(config, AccountConfig) or not isinstance(config.network, CreateNetwork):
        return subject
    if not isinstance(config.network.zones, int):
        return subject
    none: tuple[str, ...] = ()
    real = known_or_absent(lambda: _zones(subject.account), none)
    if isinstance(real, NoAnswer):
        return dataclasses.replace(subject, zones=real)
    assumed = sorted({str(inputs["availabilityZone"]) for inputs in subject.inputs(SUBNET)})
    return dataclasses.replace(subject, zones=dict(zip(assumed, [*real, *[""] * len(assumed)], strict=False)))


def _zones(account: Account) -> tuple[str, ...]:
    """As ``byoc.components.network`` asks for them: whatever their state, and no local ones."""
    filters = [{"Name": "zone-type", "Values": ["availability-zone"]}]
    found = account.all("ec2:DescribeAvailabilityZones", "AvailabilityZones", Filters=filters)
    return tuple(sorted(zone["ZoneName"] for zone in found))
