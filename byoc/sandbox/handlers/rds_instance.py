"""RDS instance."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from byoc.errors import ByocError
from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.handlers.calls import code_of, first, found
from byoc.sandbox.handlers.rds_parameters import (
    ALWAYS_SENT,
    CREATE,
    FIXED,
    IMPLIED,
    KEPT,
    OF_THE_PROVIDER,
    OUTPUTS,
    changes,
    told_instance,
)
from byoc.sandbox.handlers.schema import SchemaHandler
from byoc.sandbox.handlers.tagging import RDS, TaggedHandler, TagShape, set_tags

_GONE = ("DBInstanceNotFound", "DBInstanceNotFoundFault")
_READY = ("available", "storage-optimization")
_STUCK = ("failed", "inaccessible-encryption-credentials", "restore-error")
"""States that an instance does not leave by itself; those that begin with ``incompatible-`` are others."""


class Instance(SchemaHandler, TaggedHandler):
    """A database. Its id is its resource id (``db-...``), which stays when the identifier changes."""

    token = "aws:rds/instance:Instance"  # noqa: S105
    implied = IMPLIED
    kept = KEPT
    known = frozenset(CREATE) | OF_THE_PROVIDER | {"applyImmediately", "caCertIdentifier", "identifierPrefix"}
    replace_on = FIXED
    defaults: ClassVar[Mapping[str, Any]] = {
        "applyImmediately": False,
        "autoMinorVersionUpgrade": True,
        "copyTagsToSnapshot": False,
        "deleteAutomatedBackups": True,
        "monitoringInterval": 0,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
    }
    sets = frozenset({"enabledCloudwatchLogsExports", "vpcSecurityGroupIds"})
    autoname = AutoName("identifier", max_length=63, prefix_property="identifierPrefix")
    secret_outputs = frozenset({"password", "passwordWo"})
    recomputed: ClassVar[Mapping[str, frozenset[str]]] = {
        "engineVersion": frozenset({"engineVersionActual"}),
        "identifier": frozenset({"address", "arn", "endpoint"}),
        "port": frozenset({"endpoint"}),
    }
    refuse_replacement = (
        "AWS would make an empty database, and this one would be deleted with its data\n"
        "      allowed:  changes that keep it, such as its class, storage, version, backups and protection\n"
        "      mend it:  undo the change; if another database is wanted, make it in a stack of its own, move the data, "
        "and then destroy this one"
    )
    tag_api = RDS

    def check(self, logical_name: str, inputs: Properties, old: Properties | None) -> Properties:
        """Raises ``ValueError`` where the provider refuses to create; names are in lower case, as RDS keeps them."""
        missing = [key for key in ("allocatedStorage", "engine", "instanceClass", "username") if not inputs.get(key)]
        if missing:
            raise ValueError(f"{self.token}: {', '.join(missing)} must be set")
        checked = super().check(logical_name, inputs, old)
        for key in ("engine", "identifier"):
            if isinstance(checked[key], str):
                checked[key] = checked[key].lower()
        return checked

    def tag_target(self, aws: Aws, id: str, inputs: Properties) -> str:
        """The instance's ARN."""
        # Tags are changed before a new identifier is: then the old one still counts.
        instance = self._describe(aws, id, inputs["identifier"]) or self._describe(aws, id)
        return str(instance["DBInstanceArn"]) if instance else id

    def create(self, aws: Aws, inputs: Properties) -> str:
        """``rds:CreateDBInstance``."""
        arguments = {
            parameter: inputs[key]
            for key, parameter in CREATE.items()
            if inputs.get(key) or (key in ALWAYS_SENT and inputs.get(key) is not None)
        }
        answer = aws.client("rds").create_db_instance(**{"BackupRetentionPeriod": 0, **arguments}, **set_tags(inputs))
        return str(answer["DBInstance"]["DbiResourceId"])

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        """By identifier and tags."""
        instance = self._named(aws, inputs["identifier"])
        if instance is None or TagShape.UPPER.read(instance.get("TagList")) != (inputs.get("tagsAll") or {}):
            return None
        return str(instance["DbiResourceId"])

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Wait until it is available; then give it the certificate authority, if another than AWS's is wanted."""
        instance = self._wait_available(aws, id, inputs["identifier"])
        wanted = inputs.get("caCertIdentifier")
        if wanted and instance.get("CACertificateIdentifier") != wanted:
            self._modify(aws, id, inputs["identifier"], {"CACertificateIdentifier": wanted, "ApplyImmediately": True})

    def modify(self, aws: Aws, id: str, changed: Set[str], old: Properties, new: Properties) -> None:
        """``rds:ModifyDBInstance`` with what changed, at once or in the next maintenance window; then wait."""
        if not (changed := changed - OF_THE_PROVIDER):
            return
        instance = self._describe(aws, id, old["identifier"], new["identifier"])
        if instance is None:
            raise ByocError(f"database {old['identifier']} ({id}) is not in the account any more")
        arguments = {
            "ApplyImmediately": bool(new.get("applyImmediately")),
            "DeletionProtection": bool(new.get("deletionProtection")),
            **changes(changed, old, new, instance),
        }
        name = str(instance["DBInstanceIdentifier"])
        if arguments.get("NewDBInstanceIdentifier") == name:
            del arguments["NewDBInstanceIdentifier"]  # a repeated rename
        self._modify(aws, id, name, arguments, new_name=new["identifier"])

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The instance as described. A version given in part (``16``) stays as given, if it is what runs."""
        instance = self._describe(aws, id, inputs["identifier"])
        if instance is None:
            return None
        endpoint = instance.get("Endpoint") or {}
        port = endpoint.get("Port", inputs.get("port"))
        outputs: Properties = {
            **{name: instance[key] for name, key in OUTPUTS.items() if instance.get(key) is not None},
            "address": endpoint.get("Address", ""),
            "endpoint": f"{endpoint['Address']}:{port}" if endpoint.get("Address") else "",
            "engineVersion": _version(inputs.get("engineVersion"), str(instance.get("EngineVersion", ""))),
            "hostedZoneId": endpoint.get("HostedZoneId", ""),
            "port": port,
            "vpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in instance.get("VpcSecurityGroups") or []],
        }
        if instance.get("DBSubnetGroup"):
            outputs["dbSubnetGroupName"] = instance["DBSubnetGroup"]["DBSubnetGroupName"]
        if instance.get("DBParameterGroups"):
            outputs["parameterGroupName"] = instance["DBParameterGroups"][0]["DBParameterGroupName"]
        return outputs

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        """The instance as described. It is imported by its identifier. AWS never tells the password."""
        names = [inputs["identifier"]] if inputs else []
        instance = self._describe(aws, id, *names) if id.startswith("db-") else None
        instance = instance or (None if inputs else self._named(aws, id))
        return instance and {**told_instance(instance), "tagsAll": TagShape.UPPER.read(instance.get("TagList"))}

    def imported_id(self, aws: Aws, id: str) -> str:
        """From the identifier to the resource id; an identifier that looks like a resource id is looked up as one."""
        instance = (self._describe(aws, id) if id.startswith("db-") else None) or self._named(aws, id)
        return str(instance["DbiResourceId"]) if instance else id

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        """``rds:DeleteDBInstance``, with a final snapshot unless that is to be skipped; wait until it is gone.

        A protection that AWS still has but the state does not is taken off first, as the provider does where changes
        apply immediately; any other refusal is AWS's own and raised as it is. Raises ``ValueError`` without a
        snapshot's name where one is to be made.
        """
        client, name = aws.client("rds"), str(state["identifier"])
        arguments: dict[str, Any] = {
            "DBInstanceIdentifier": name,
            "DeleteAutomatedBackups": bool(state.get("deleteAutomatedBackups", True)),
            "SkipFinalSnapshot": bool(state.get("skipFinalSnapshot")),
        }
        if not arguments["SkipFinalSnapshot"]:
            if not state.get("finalSnapshotIdentifier"):
                raise ValueError("finalSnapshotIdentifier must be set where skipFinalSnapshot is false")
            arguments["FinalDBSnapshotIdentifier"] = state["finalSnapshotIdentifier"]
        try:
            client.delete_db_instance(**arguments)
        except ClientError as error:
            if code_of(error) in _GONE:
                return
            message = str(error)
            if (
                "disable deletion pro" in message
                and not state.get("deletionProtection")
                and state.get("applyImmediately")
            ):
                self._modify(aws, id, name, {"ApplyImmediately": True, "DeletionProtection": False})
                client.delete_db_instance(**arguments)
            elif "is already being deleted" not in message:
                raise
        aws.wait(f"deletion of database {name}", lambda: self._named(aws, name) is None)

    def leaves(self, state: Properties) -> tuple[str, ...]:
        """The final snapshot."""
        return () if state.get("skipFinalSnapshot") else (f"database snapshot {state['finalSnapshotIdentifier']}",)

    def _modify(self, aws: Aws, id: str, name: str, arguments: dict[str, Any], *, new_name: str | None = None) -> None:
        aws.client("rds").modify_db_instance(DBInstanceIdentifier=name, **arguments)
        self._wait_available(aws, id, new_name or name)

    def _wait_available(self, aws: Aws, id: str, name: str) -> dict[str, Any]:
        described: dict[str, Any] = {}

        def ready() -> bool:
            described.clear()
            described.update(self._describe(aws, id, name) or {})
            status = str(described.get("DBInstanceStatus", ""))
            if status in _STUCK or status.startswith("incompatible-"):
                raise ByocError(f"database {name} is {status}\n      mend it:  see its events in the RDS console")
            return status in _READY

        aws.wait(f"database {name}", ready)
        return described

    @staticmethod
    def _describe(aws: Aws, id: str, *names: str) -> dict[str, Any] | None:
        """By resource id; of several that have it, the one with one of the names (now or soon): resource ids are unique
        in AWS, but not in moto.
        """
        client = aws.client("rds")
        filters = [{"Name": "dbi-resource-id", "Values": [id]}]
        answer = found(lambda: client.describe_db_instances(Filters=filters), *_GONE)
        instances = answer["DBInstances"] if answer else []
        return first([instance for instance in instances if not names or set(names) & _names(instance)])

    @staticmethod
    def _named(aws: Aws, name: str) -> dict[str, Any] | None:
        client = aws.client("rds")
        answer = found(lambda: client.describe_db_instances(DBInstanceIdentifier=name), *_GONE)
        return first(answer["DBInstances"]) if answer else None


def _names(instance: Mapping[str, Any]) -> set[str]:
    pending = instance.get("PendingModifiedValues") or {}
    return {instance["DBInstanceIdentifier"], pending.get("DBInstanceIdentifier", "")}


def _version(wanted: object, actual: str) -> str:
    return wanted if isinstance(wanted, str) and f"{actual}.".startswith(f"{wanted}.") else actual


HANDLERS: tuple[type[Handler], ...] = (Instance,)
