"""The inputs and outputs of an RDS instance, and the parameters of the RDS API that they are."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from byoc.sandbox.handlers.base import Properties
from byoc.sandbox.handlers.meaning import Told, Unordered, named, version

CREATE = {
    "allocatedStorage": "AllocatedStorage",
    "autoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "availabilityZone": "AvailabilityZone",
    "backupRetentionPeriod": "BackupRetentionPeriod",
    "backupTarget": "BackupTarget",
    "backupWindow": "PreferredBackupWindow",
    "characterSetName": "CharacterSetName",
    "copyTagsToSnapshot": "CopyTagsToSnapshot",
    "customIamInstanceProfile": "CustomIamInstanceProfile",
    "databaseInsightsMode": "DatabaseInsightsMode",
    "dbName": "DBName",
    "dbSubnetGroupName": "DBSubnetGroupName",
    "dedicatedLogVolume": "DedicatedLogVolume",
    "deletionProtection": "DeletionProtection",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "engine": "Engine",
    "engineLifecycleSupport": "EngineLifecycleSupport",
    "engineVersion": "EngineVersion",
    "iamDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "identifier": "DBInstanceIdentifier",
    "instanceClass": "DBInstanceClass",
    "iops": "Iops",
    "kmsKeyId": "KmsKeyId",
    "licenseModel": "LicenseModel",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "maxAllocatedStorage": "MaxAllocatedStorage",
    "monitoringInterval": "MonitoringInterval",
    "monitoringRoleArn": "MonitoringRoleArn",
    "multiAz": "MultiAZ",
    "networkType": "NetworkType",
    "optionGroupName": "OptionGroupName",
    "parameterGroupName": "DBParameterGroupName",
    "password": "MasterUserPassword",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
    "performanceInsightsRetentionPeriod": "PerformanceInsightsRetentionPeriod",
    "port": "Port",
    "publiclyAccessible": "PubliclyAccessible",
    "storageEncrypted": "StorageEncrypted",
    "storageThroughput": "StorageThroughput",
    "storageType": "StorageType",
    "timezone": "Timezone",
    "username": "MasterUsername",
    "vpcSecurityGroupIds": "VpcSecurityGroupIds",
}
"""Inputs and the parameters of ``CreateDBInstance`` that they become."""
ALWAYS_SENT = frozenset(
    {
        "autoMinorVersionUpgrade",
        "backupRetentionPeriod",
        "copyTagsToSnapshot",
        "deletionProtection",
        "publiclyAccessible",
        "storageEncrypted",
    }
)
"""Sent even when false or 0: AWS's own defaults are others (a backup for one day)."""
OF_THE_PROVIDER = frozenset(
    {"allowMajorVersionUpgrade", "deleteAutomatedBackups", "finalSnapshotIdentifier", "skipFinalSnapshot"}
)
"""Inputs that only say what later calls will do; a change of them calls nothing."""
_INSIGHTS = ("performanceInsightsEnabled", "performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod")
FIXED = frozenset(
    {
        "availabilityZone",
        "backupTarget",
        "characterSetName",
        "customIamInstanceProfile",
        "dbName",
        "engine",
        "kmsKeyId",
        "storageEncrypted",
        "timezone",
        "username",
    }
)
"""Inputs that the provider marks "forces new resource". The identifier is none of them: it is changed in place."""
OUTPUTS = {
    "allocatedStorage": "AllocatedStorage",
    "arn": "DBInstanceArn",
    "autoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "availabilityZone": "AvailabilityZone",
    "backupRetentionPeriod": "BackupRetentionPeriod",
    "backupWindow": "PreferredBackupWindow",
    "caCertIdentifier": "CACertificateIdentifier",
    "copyTagsToSnapshot": "CopyTagsToSnapshot",
    "dbName": "DBName",
    "deletionProtection": "DeletionProtection",
    "engine": "Engine",
    "engineVersionActual": "EngineVersion",
    "iamDatabaseAuthenticationEnabled": "IAMDatabaseAuthenticationEnabled",
    "identifier": "DBInstanceIdentifier",
    "instanceClass": "DBInstanceClass",
    "iops": "Iops",
    "kmsKeyId": "KmsKeyId",
    "licenseModel": "LicenseModel",
    "maintenanceWindow": "PreferredMaintenanceWindow",
    "maxAllocatedStorage": "MaxAllocatedStorage",
    "monitoringInterval": "MonitoringInterval",
    "multiAz": "MultiAZ",
    "networkType": "NetworkType",
    "performanceInsightsEnabled": "PerformanceInsightsEnabled",
    "publiclyAccessible": "PubliclyAccessible",
    "resourceId": "DbiResourceId",
    "status": "DBInstanceStatus",
    "storageEncrypted": "StorageEncrypted",
    "storageThroughput": "StorageThroughput",
    "storageType": "StorageType",
    "username": "MasterUsername",
}
"""Outputs that are fields of a described instance."""


KEPT = frozenset(
    {
        "allocatedStorage",
        "availabilityZone",
        "backupRetentionPeriod",
        "backupTarget",
        "backupWindow",
        "caCertIdentifier",
        "characterSetName",
        "databaseInsightsMode",
        "dbSubnetGroupName",
        "dedicatedLogVolume",
        "engineLifecycleSupport",
        "engineVersion",
        "iops",
        "kmsKeyId",
        "licenseModel",
        "maintenanceWindow",
        "monitoringRoleArn",
        "multiAz",
        "networkType",
        "optionGroupName",
        "parameterGroupName",
        "performanceInsightsKmsKeyId",
        "performanceInsightsRetentionPeriod",
        "port",
        "storageThroughput",
        "storageType",
        "timezone",
        "username",
        "vpcSecurityGroupIds",
    }
)
"""Inputs that the provider's schema calls optional and computed."""
IMPLIED: Mapping[str, Any] = {
    "allowMajorVersionUpgrade": False,
    "backupRetentionPeriod": 0,
    "backupTarget": "region",
    "dedicatedLogVolume": False,
    "deletionProtection": False,
    "iamDatabaseAuthenticationEnabled": False,
    "iops": 0,
    "maxAllocatedStorage": 0,
    "multiAz": False,
    "performanceInsightsEnabled": False,
    "storageEncrypted": False,
    "storageThroughput": 0,
}
_DESCRIBED = {
    **CREATE,
    "caCertIdentifier": "CACertificateIdentifier",
    "enabledCloudwatchLogsExports": "EnabledCloudwatchLogsExports",
    "iamDatabaseAuthenticationEnabled": "IAMDatabaseAuthenticationEnabled",
    "performanceInsightsEnabled": "PerformanceInsightsEnabled",
}
_ELSEWHERE = frozenset({"dbSubnetGroupName", "optionGroupName", "parameterGroupName", "password", "port"})
"""Inputs that a described instance has elsewhere, or not at all."""
_LEFT_OUT = frozenset({"kmsKeyId", "maxAllocatedStorage"})
"""Fields that are left out where nothing is set. Of any other that is absent nothing is known: moto does not keep
Performance Insights, provisioned IOPS and throughput, monitoring roles and network types.
"""


def told_instance(instance: Mapping[str, Any]) -> Properties:
    """Inputs as a described instance has them, without tags. What it lacks is not told."""
    groups = instance.get("DBParameterGroups") or [{}]
    options = instance.get("OptionGroupMemberships") or [{}]
    told = {
        name: instance.get(key)
        for name, key in _DESCRIBED.items()
        if name not in _ELSEWHERE and (key in instance or name in _LEFT_OUT)
    }
    storage, most = told["allocatedStorage"], told["maxAllocatedStorage"]
    return {
        **told,
        "allocatedStorage": Told(storage, lambda wanted, there: wanted == there or bool(most and wanted < there)),
        "dbSubnetGroupName": (instance.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "enabledCloudwatchLogsExports": Unordered(instance.get("EnabledCloudwatchLogsExports") or []),
        "engineVersion": version(instance.get("EngineVersion")),
        "kmsKeyId": named(told["kmsKeyId"]),
        "maxAllocatedStorage": 0 if most == storage else most,
        "optionGroupName": options[0].get("OptionGroupName"),
        "parameterGroupName": groups[0].get("DBParameterGroupName"),
        "port": (instance.get("Endpoint") or {}).get("Port"),
        "vpcSecurityGroupIds": Unordered(
            group["VpcSecurityGroupId"] for group in instance.get("VpcSecurityGroups") or []
        ),
    }


def changes(changed: Set[str], old: Properties, new: Properties, instance: dict[str, Any]) -> dict[str, Any]:
    """The parameters of ``ModifyDBInstance`` for changed inputs."""
    renamed = {
        "identifier": "NewDBInstanceIdentifier",
        "port": "DBPortNumber",
        "caCertIdentifier": "CACertificateIdentifier",
    }
    special = {"allocatedStorage", "enabledCloudwatchLogsExports", "maxAllocatedStorage", *_INSIGHTS}
    parameters = {**CREATE, **renamed}
    arguments = {
        parameters[key]: new[key]
        for key in changed - special
        if key in parameters and new.get(key) not in (None, "", [])
    }
    if "engineVersion" in changed:
        arguments["AllowMajorVersionUpgrade"] = bool(new.get("allowMajorVersionUpgrade"))
    if changed & {"allocatedStorage", "iops", "storageThroughput"} and not _grown(instance, new):
        arguments["AllocatedStorage"] = new["allocatedStorage"]
    if "maxAllocatedStorage" in changed:
        # RDS ends autoscaling when the most is what there is.
        arguments["MaxAllocatedStorage"] = new.get("maxAllocatedStorage") or new["allocatedStorage"]
    if changed & set(_INSIGHTS):
        arguments["EnablePerformanceInsights"] = bool(new.get("performanceInsightsEnabled"))
        arguments |= {CREATE[key]: new[key] for key in _INSIGHTS[1:] if new.get(key)}
    if "enabledCloudwatchLogsExports" in changed:
        before, after = (set(inputs.get("enabledCloudwatchLogsExports") or []) for inputs in (old, new))
        arguments["CloudwatchLogsExportConfiguration"] = {
            "EnableLogTypes": sorted(after - before),
            "DisableLogTypes": sorted(before - after),
        }
    return arguments


def _grown(instance: dict[str, Any], new: Properties) -> bool:
    """Whether storage autoscaling has already made the database larger than what is wanted."""
    wanted = int(new["allocatedStorage"])
    return int(instance.get("AllocatedStorage") or 0) > wanted and int(new.get("maxAllocatedStorage") or 0) > wanted
