"""What RDS offers: PostgreSQL versions and database classes, in every zone of the region. moto knows none of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from byoc.sandbox.emulator.requests import ApiRequest
from byoc.sandbox.emulator.stored import backend
from byoc.sizing import DATABASE_MEMORY

POSTGRES = "postgres"
VERSIONS = ("15.8", "15.12", "16.4", "16.8", "17.4", "18.1")
"""Some of the versions that RDS offers; a region has more."""

STORAGES = ("gp2", "gp3")
"""Some of the kinds of storage; RDS makes an offer of its own for each."""


def describe_engine_versions(request: ApiRequest, _account: str) -> Mapping[str, Any] | None:
    """Versions of PostgreSQL, narrowed as AWS does by a major or a whole version."""
    if request.text("Engine") != POSTGRES:
        return None
    wanted = request.text("EngineVersion")
    fitting = [each for each in VERSIONS if not wanted or each == wanted or each.startswith(f"{wanted}.")]
    return {
        "DBEngineVersions": [
            {
                "Engine": POSTGRES,
                "EngineVersion": version,
                "DBParameterGroupFamily": f"{POSTGRES}{version.partition('.')[0]}",
                "DBEngineDescription": "PostgreSQL",
            }
            for version in fitting
        ]
    }


def describe_orderable_options(request: ApiRequest, account: str) -> Mapping[str, Any] | None:
    """Each class that the config knows, with each version, in all zones."""
    if request.text("Engine") != POSTGRES:
        return None
    class_, version = request.text("DBInstanceClass"), request.text("EngineVersion")
    network = backend("ec2", account, request.region)
    zones = [zone.name for zone in network.describe_availability_zones()] if network is not None else []
    return {
        "OrderableDBInstanceOptions": [
            {
                "Engine": POSTGRES,
                "EngineVersion": offered,
                "DBInstanceClass": known,
                "AvailabilityZones": [{"Name": zone} for zone in zones],
                "MultiAZCapable": True,
                "StorageType": storage,
                "Vpc": True,
            }
            for known in DATABASE_MEMORY
            if class_ in ("", known)
            for offered in VERSIONS
            if version in ("", offered)
            for storage in STORAGES
        ]
    }
