"""Providing what a customer's account has and an empty one lacks: certificates, a VPC, policies, under given ids.

AWS's APIs give ids of their own, so these things are put straight into moto's backends. They are the customer's: no
part of the inventory, which is about what stacks leave behind.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from moto.backends import get_backend

from byoc.sandbox.emulator.stored import Model
from byoc.sandbox.prerequisites import ExistingVpc, Prerequisites
from byoc.types import AwsAccount

CERTIFICATE_DOMAIN = "sandbox.example.com"
"""What provided certificates are for; no load balancer of the embedded AWS ever shows one."""
ALLOW_ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
"""The document of provided policies: as a permissions boundary it limits nothing, since what the customer's own says is
not known."""
_ANYWHERE = "0.0.0.0/0"
_SUBNET_PREFIX_LENGTH = 24


@dataclass
class Provided:
    """What was provided, so that it is made once and told from what stacks make."""

    _ids: dict[str, set[str]] = field(default_factory=dict)

    def ids(self, account_id: str) -> frozenset[str]:
        """Ids and ARNs of what was provided in an account, as the inventory has them."""
        return frozenset(self._ids.get(account_id, ()))

    def clear(self) -> None:
        """Forget what moto has forgotten."""
        self._ids.clear()

    def provide(self, account_id: str, region: str, wanted: Prerequisites) -> list[str]:
        """Make what is missing of ``wanted``; what was made, in plain words.

        What exists already is left as it is, and so is a VPC that somebody else made, even if a subnet is missing.
        Raises ``ValueError`` for ARNs of another account or region, and for a region that moto does not know.
        """
        account = AwsAccount(account_id=account_id, region=region)
        for arn in (*wanted.certificates, *wanted.policies):
            _require_of(account, arn)
        ids = self._ids.setdefault(account_id, set())
        return [
            *_certificates(account, wanted.certificates, ids),
            *_policies(account, wanted.policies, ids),
            *(_network(account, wanted.vpc, ids) if wanted.vpc is not None else ()),
        ]


def _require_of(account: AwsAccount, arn: str) -> None:
    parts = arn.split(":", 5)
    if len(parts) < 6 or [parts[1], parts[4]] != [account.partition, account.account_id]:
        raise ValueError(f"{arn} is not of account {account.account_id} in partition {account.partition}")
    if parts[3] not in ("", account.region):
        raise ValueError(f"{arn} is not of region {account.region}")


def _backend(service: str, account: AwsAccount, place: str) -> Model:
    # A service is loaded when it is first needed: EC2 alone takes a second, and few configs need any of this.
    services: Any = get_backend(service)  # type: ignore[call-overload]
    try:
        return services[account.account_id][place]
    except KeyError:
        raise ValueError(f"the embedded AWS has no region {place}") from None


def _certificates(account: AwsAccount, arns: tuple[str, ...], ids: set[str]) -> Iterator[str]:
    for arn in arns:
        iam = _backend("iam", account, account.partition)
        acm = _backend("acm", account, account.region)
        if arn in acm._certificates or iam.get_certificate_by_arn(arn) is not None:
            continue
        made = _self_signed(account)
        if arn.split(":")[2] == "acm":
            made.arn = arn
            acm._certificates[arn] = made
        else:
            path, name = _path_and_name(arn)
            iam.upload_server_certificate(name, made.cert.decode(), made.key.decode(), path=path)
        ids.add(arn)
        yield f"certificate {arn}, self-signed for {CERTIFICATE_DOMAIN}"


def _self_signed(account: AwsAccount) -> Model:
    from moto.acm.models import CertBundle

    made = CertBundle.generate_cert(CERTIFICATE_DOMAIN, account.account_id, account.region)
    made.status = "ISSUED"
    return made


def _policies(account: AwsAccount, arns: tuple[str, ...], ids: set[str]) -> Iterator[str]:
    for arn in arns:
        iam = _backend("iam", account, account.partition)
        if arn in iam.managed_policies:
            continue
        path, name = _path_and_name(arn)
        iam.create_policy("Taken for granted by a stack's config", path, ALLOW_ALL, name, [])
        ids.add(arn)
        yield f"policy {arn}, which allows everything"


def _path_and_name(arn: str) -> tuple[str, str]:
    """``/path/`` and name of what an ARN such as ``arn:aws:iam::123456789012:policy/path/name`` names."""
    _, *path, name = arn.split(":", 5)[5].split("/")
    return "/" + "".join(f"{part}/" for part in path), name


def _network(account: AwsAccount, wanted: ExistingVpc, ids: set[str]) -> Iterator[str]:
    ec2 = _backend("ec2", account, account.region)
    if wanted.vpc_id not in ec2.vpcs:
        vpc = _make_vpc(ec2, wanted.vpc_id)
        ids.add(vpc.id)
        yield f"VPC {vpc.id} with {vpc.cidr_block}"
    elif wanted.vpc_id not in ids:
        return
    subnets = _Subnets(ec2, ec2.vpcs[wanted.vpc_id], ids)
    for word, subnet_ids in (("private", wanted.private_subnet_ids), ("public", wanted.public_subnet_ids)):
        for index, subnet_id in enumerate(subnet_ids):
            if not any(subnet_id in zone for zone in ec2.subnets.values()):
                subnet = subnets.make(subnet_id, index, public=word == "public")
                yield f"{word} subnet {subnet.id} with {subnet.cidr_block} in {subnet.availability_zone}"


def _make_vpc(ec2: Model, vpc_id: str) -> Model:
    """A VPC with the main route table, network ACL and security group that AWS gives it, and both DNS attributes on."""
    from moto.ec2.models import vpcs

    second = hashlib.sha256(vpc_id.encode()).digest()[0]
    vpc = vars(vpcs)["VPC"](ec2, vpc_id, f"10.{second}.0.0/16", is_default=False)
    vpc.enable_dns_support = vpc.enable_dns_hostnames = True
    ec2.vpcs[vpc_id] = vpc
    ec2.create_route_table(vpc_id, main=True)
    ec2.create_network_acl(vpc_id, default=True)
    ec2.create_security_group("default", "default VPC security group", vpc_id=vpc_id, is_default=True)
    return vpc


@dataclass(frozen=True)
class _Subnets:
    """Makes subnets of a provided VPC, and the route tables and internet gateway that they need."""

    ec2: Model
    vpc: Model
    ids: set[str]

    def make(self, subnet_id: str, index: int, *, public: bool) -> Model:
        """The subnet, in the region's zone of that index, beginning again after the last one."""
        from moto.ec2.models import subnets

        zones = [zone for zone in self.ec2.describe_availability_zones() if zone.zone_type == "availability-zone"]
        zone = zones[index % len(zones)]
        subnet = vars(subnets)["Subnet"](
            self.ec2,
            subnet_id,
            self.vpc.id,
            self._free_block(),
            None,
            zone,
            default_for_az=False,
            map_public_ip_on_launch=False,
        )
        self.ec2.subnets[zone.name][subnet_id] = subnet
        self.ec2.associate_default_network_acl_with_subnet(subnet_id, self.vpc.id)
        self.ec2.associate_route_table(self._route_table(public=public).id, subnet_id=subnet_id)
        self.ids.add(subnet_id)
        return subnet

    def _free_block(self) -> str:
        subnets = [subnet for zone in self.ec2.subnets.values() for subnet in zone.values()]
        taken = [subnet.cidr for subnet in subnets if subnet.vpc_id == self.vpc.id]
        for block in ipaddress.IPv4Network(self.vpc.cidr_block).subnets(new_prefix=_SUBNET_PREFIX_LENGTH):
            if not any(block.overlaps(other) for other in taken):
                return str(block)
        raise ValueError(f"the provided VPC {self.vpc.id} ({self.vpc.cidr_block}) has no room for another subnet")

    def _route_table(self, *, public: bool) -> Model:
        for table in self.ec2.route_tables.values():
            goes_out = any(route.destination_cidr_block == _ANYWHERE for route in table.routes)
            if table.vpc_id == self.vpc.id and table.id in self.ids and goes_out == public:
                return table
        table = self.ec2.create_route_table(self.vpc.id)
        self.ids.add(table.id)
        if public:
            self.ec2.create_route(table.id, _ANYWHERE, gateway_id=self._internet_gateway().id)
        return table

    def _internet_gateway(self) -> Model:
        for gateway in self.ec2.internet_gateways.values():
            if gateway.vpc is self.vpc:
                return gateway
        gateway = self.ec2.create_internet_gateway()
        self.ec2.attach_internet_gateway(gateway.id, self.vpc.id)
        self.ids.add(gateway.id)
        return gateway
