"""Whether RDS offers the class and the engine version of each database, in the zones of the private subnets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from byoc.operations.account import Account
from byoc.operations.doctor.asking import NoAnswer, known_or_absent
from byoc.operations.doctor.checks import Area, Check, failed, passed, unknown
from byoc.operations.doctor.place import Network, Place
from byoc.operations.doctor.subject import SUBNET, Subject

_AREA = Area.DATABASE
_ENGINE = "postgres"
_STORAGE = "gp3"
"""The storage of every database that a stack makes (``byoc.components.database``); RDS has an offer for each kind."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A database that a config asks for."""

    instance_class: str
    version: str
    multi_zone: bool


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One version of a class that RDS offers."""

    version: str
    zones: frozenset[str]
    multi_zone: bool


@dataclass(frozen=True, kw_only=True)
class Offers:
    """What RDS offers of what is wanted."""

    versions: tuple[str, ...] | NoAnswer
    """Versions of PostgreSQL that fit the wanted one."""
    options: tuple[Offer, ...] | NoAnswer
    """The wanted class, by version."""


def judged(subject: Subject, place: Place) -> tuple[Check, ...]:
    """Ask and judge."""
    wanted = wanted_databases(subject)
    if isinstance(place, Network):
        zones = frozenset(subnet.zone for subnet in place.of_kind(public=False))
    else:
        zones = frozenset(_planned_zones(subject))
    checks: list[Check] = []
    for name, database in wanted.items():
        checks += judge_offers(name, database, read_offers(subject.account, database), zones)
    return tuple(checks)


def wanted_databases(subject: Subject) -> Mapping[str, Wanted]:
    """The databases that the stack makes, by deployment."""
    return {
        name: Wanted(
            instance_class=section.database.instance_class,
            version=section.database.engine_version,
            multi_zone=section.database.multi_zone,
        )
        for name, (section, secrets) in subject.deployments.items()
        if secrets.postgres_uri_custom is None
    }


def _planned_zones(subject: Subject) -> list[str]:
    """Those of the subnets that the stack makes."""
    inputs = subject.inputs(SUBNET)
    zones = [subject.zone(str(found["availabilityZone"])) for found in inputs if "availabilityZone" in found]
    return [zone for zone in zones if zone]


def read_offers(account: Account, wanted: Wanted) -> Offers:
    """Versions and offers of the wanted class."""
    no_versions: tuple[str, ...] = ()
    no_options: tuple[Offer, ...] = ()
    versions = known_or_absent(
        lambda: tuple(
            item["EngineVersion"]
            for item in account.all("rds:DescribeDBEngineVersions", "DBEngineVersions", Engine=_ENGINE)
            if _fits(item["EngineVersion"], wanted.version)
        ),
        no_versions,
    )
    options = known_or_absent(
        lambda: tuple(
            Offer(
                version=item["EngineVersion"],
                zones=frozenset(zone["Name"] for zone in item.get("AvailabilityZones", ())),
                multi_zone=bool(item.get("MultiAZCapable")),
            )
            for item in account.all(
                "rds:DescribeOrderableDBInstanceOptions",
                "OrderableDBInstanceOptions",
                Engine=_ENGINE,
                DBInstanceClass=wanted.instance_class,
                Vpc=True,
            )
            if _fits(item["EngineVersion"], wanted.version) and item["StorageType"] == _STORAGE
        ),
        no_options,
    )
    return Offers(versions=versions, options=options)


def _fits(version: str, wanted: str) -> bool:
    return version == wanted or version.startswith(f"{wanted}.")


def judge_offers(name: str, wanted: Wanted, offers: Offers, zones: frozenset[str]) -> tuple[Check, ...]:
    """``zones``: of the private subnets; empty where they are not known."""
    return (_version(name, wanted, offers.versions), _class(name, wanted, offers.options, zones))


def _version(name: str, wanted: Wanted, versions: tuple[str, ...] | NoAnswer) -> Check:
    title = f"engine version of {name}"
    if isinstance(versions, NoAnswer):
        return versions.check(_AREA, title)
    if not versions:
        return failed(
            _AREA,
            title,
            f"RDS offers no PostgreSQL {wanted.version} in this region",
            "see aws rds describe-db-engine-versions --engine postgres, and set database.engineVersion",
        )
    newest = max(versions, key=_order)
    return passed(_AREA, title, f"PostgreSQL {wanted.version}: RDS offers {newest}")


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))


def _class(name: str, wanted: Wanted, options: tuple[Offer, ...] | NoAnswer, zones: frozenset[str]) -> Check:
    title = f"class of {name}"
    asked = f"{wanted.instance_class} with PostgreSQL {wanted.version} on {_STORAGE}"
    if isinstance(options, NoAnswer):
        return options.check(_AREA, title)
    fitting = [offer for offer in options if offer.multi_zone or not wanted.multi_zone]
    if not fitting:
        multi = " as Multi-AZ" if options else ""
        return failed(
            _AREA, title, f"RDS does not offer {asked}{multi} in this region", "set another database.instanceClass"
        )
    newest = max(fitting, key=lambda offer: _order(offer.version))
    offered = newest.zones & zones
    least = 2 if wanted.multi_zone else 1
    told = f"{asked} is offered in {', '.join(sorted(newest.zones))}"
    if not zones:
        return unknown(_AREA, title, f"{told}; the zones of the private subnets are not known")
    if len(offered) < least:
        return failed(
            _AREA,
            title,
            f"{told}; the private subnets are in {', '.join(sorted(zones))}, and {least} in common are needed",
            "set another database.instanceClass, or private subnets in zones that offer it",
        )
    return passed(_AREA, title, f"{asked} is offered in {', '.join(sorted(offered))}")
