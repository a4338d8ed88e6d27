"""A deployment's own PostgreSQL database."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_random as random

from byoc import tags
from byoc.components.spec import CreateDatabase
from byoc.errors import ByocError, Problem
from byoc.naming import Names

PORT = 5432
USERNAME = "langgraph"
DATABASE_NAME = "langgraph"
PASSWORD_LENGTH = 40
"""Letters and digits only, so that the password stands in a URI as it is: about 238 bits."""

IDENTITY = ("identifier", "engine", "username", "dbName", "storageEncrypted", "kmsKeyId", "availabilityZone")
"""What makes a database this database: another identifier renames it, anything else of these replaces it."""


@dataclass(frozen=True, kw_only=True)
class DatabaseArgs:
    """``subnet_group_name``: the runtime's, private. ``security_group_id``: the runtime's group of databases and
    caches."""

    names: Names
    deployment: str
    database: CreateDatabase
    subnet_group_name: pulumi.Input[str]
    security_group_id: pulumi.Input[str]


class Database(pulumi.ComponentResource):
    """One RDS instance: private, encrypted, TLS forced, reachable from this install's tasks alone.

    It takes AWS five to fifteen minutes to make, and it is made once: nothing in a config can replace it. What would
    (another name or prefix under the same stack) is refused with ``ByocError``, because the inputs that make it
    this database are never changed in place, and the one that comes from the config is compared with what is there. In
    another account or region nothing can be compared: there ``deletion_protection`` is what keeps it.

    A destroy deletes a development database with everything in it. A production database cannot be destroyed until its
    protection is off, and then leaves a final snapshot, named ``<identifier>-final-<random>`` so that it never collides
    with one that an earlier deployment of that name has left.

    Its log is read in RDS, where AWS keeps it for three days; it is not exported to CloudWatch, where AWS would make a
    log group that never expires, that outlives the database, and that the control plane's role may not delete.
    """

    identifier: pulumi.Output[str]
    """The RDS instance identifier."""
    uri: pulumi.Output[str]
    """How the server connects; secret."""

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("byoc:index:Database", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        database = args.database
        identifier = args.names.database(args.deployment)
        deployment_tags = tags.deployment_tags(args.deployment)
        generated = random.RandomPassword(f"{name}-password", length=PASSWORD_LENGTH, special=False, opts=child)
        password: pulumi.Output[str] = pulumi.Output.secret(generated.result)
        parameters = aws.rds.ParameterGroup(
            f"{name}-parameters",
            # Named by the provider: a new major version needs a new group while the old one is still in use.
            name_prefix=f"{identifier}-",
            family=f"postgres{_major(database.engine_version)}",
            description=f"PostgreSQL parameters of LangGraph deployment {args.deployment}",
            parameters=[
                aws.rds.ParameterGroupParameterArgs(name="rds.force_ssl", value="1", apply_method="immediate"),
            ],
            tags=deployment_tags,
            opts=child,
        )
        instance = aws.rds.Instance(
            f"{name}-instance",
            identifier=identifier,
            engine="postgres",
            engine_version=database.engine_version,
            # A newer major version in the config is a wish; without this AWS refuses it.
            allow_major_version_upgrade=True,
            # AWS would move an exact version on, and the next run would try to move it back.
            auto_minor_version_upgrade=_is_major(database.engine_version),
            instance_class=database.instance_class,
            storage_type="gp3",
            allocated_storage=database.storage_gb,
            max_allocated_storage=database.max_storage_gb,
            storage_encrypted=True,
            multi_az=database.multi_zone,
            db_name=DATABASE_NAME,
            username=USERNAME,
            password=password,
            port=PORT,
            parameter_group_name=parameters.name,
            db_subnet_group_name=args.subnet_group_name,
            vpc_security_group_ids=[args.security_group_id],
            publicly_accessible=False,
            backup_retention_period=database.backup_retention_days,
            copy_tags_to_snapshot=True,
            deletion_protection=database.deletion_protection,
            skip_final_snapshot=not database.final_snapshot,
            final_snapshot_identifier=_final_snapshot(name, identifier, child) if database.final_snapshot else None,
            apply_immediately=True,
            tags=deployment_tags,
            opts=pulumi.ResourceOptions(
                parent=self,
                # None leaves a protection that the caller put on the component as it is.
                protect=True if database.deletion_protection else None,
                ignore_changes=list(IDENTITY),
            ),
        )
        self.identifier = instance.identifier.apply(lambda actual: _same_database(actual, identifier))
        # Joined with the check, so that nothing is connected to another database than the config names.
        address = pulumi.Output.all(self.identifier, instance.address).apply(lambda known: str(known[1]))
        self.uri = pulumi.Output.concat(
            f"postgresql://{USERNAME}:", password, "@", address, f":{PORT}/{DATABASE_NAME}?sslmode=require"
        )
        self.register_outputs({"identifier": self.identifier, "uri": self.uri})


def _final_snapshot(name: str, identifier: str, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
    suffix = random.RandomId(f"{name}-final-snapshot", byte_length=4, opts=opts)
    return pulumi.Output.concat(identifier, "-final-", suffix.hex)


def _major(engine_version: str) -> str:
    return engine_version.partition(".")[0]


def _is_major(engine_version: str) -> bool:
    return "." not in engine_version


def _same_database(actual: str, wanted: str) -> str:
    if actual == wanted:
        return actual
    problem = Problem(
        key="byoc:name, byoc:namePrefix",
        value=f"they give the database {wanted}, but this stack holds {actual}",
        allowed="the name and prefix that the deployment was made with: a new database would be empty",
        remedy="set them back; for a deployment of another name use a stack of its own",
    )
    raise ByocError(f"this change would replace the database {actual} and lose its data; refused\n{problem.render()}")
