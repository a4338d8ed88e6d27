"""Where AWS differs from the config: in what is managed here, and, apart from it, in what the customer added.

A difference in what is managed comes of an edit by hand, or of a config that was changed and not yet brought up: from
AWS alone the two cannot be told apart. What is added beside it is the customer's, and no run of ours takes it away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from byoc.operations.recovery.alarm_rules import differences
from byoc.operations.recovery.facts import (
    AlarmSettings,
    DatabaseSettings,
    Group,
    Opening,
    RecoveryFacts,
    ScalingSettings,
    ServiceSettings,
    TaskSettings,
)
from byoc.operations.recovery.finding import Area, Finding, Restore, Severity
from byoc.operations.status.facts import ServiceFacts, Unknown
from byoc.tags import DEPLOYMENT_KEY, INSTALL_KEY, RETENTION_KEY

SERVER_PORT = 8000
POSTGRES_PORT = 5432
_AWS_PREFIX = "aws:"
"""Of tags that AWS itself puts on things."""


def diagnose_drift(facts: RecoveryFacts) -> Iterator[Finding]:
    """Differences, part by part."""
    for role, settings in facts.services.items():
        if isinstance(settings, ServiceSettings):
            yield from _of_service(facts, role, settings)
            yield from _of_tags(facts, role, f"service {role}", settings.tags)
    for role, task in facts.tasks.items():
        if isinstance(task, TaskSettings):
            yield from _of_task(facts, role, task)
    for role, service in facts.status.services.items():
        if isinstance(service, ServiceFacts):
            yield from _of_count(facts, role, service)
    for role, scaling in facts.scaling.items():
        if isinstance(scaling, ScalingSettings):
            yield from _of_scaling(facts, role, scaling)
    if isinstance(facts.database, DatabaseSettings):
        yield from _of_database(facts, facts.database)
        yield from _of_tags(facts, "database", "the database", facts.database.tags)
    if not isinstance(facts.alarms, Unknown):
        for alarm in facts.alarms:
            yield from _of_alarm(facts, alarm)
    if not isinstance(facts.groups, Unknown):
        yield from _of_groups(facts, facts.groups)


def _of_service(facts: RecoveryFacts, role: str, settings: ServiceSettings) -> Iterator[Finding]:
    name = f"service {role}"
    if settings.public_ip:
        yield _ours(facts, role, f"{name}: its containers get public addresses")
    if not settings.breaker:
        yield _ours(facts, role, f"{name}: a roll-out that fails does not go back by itself")
    if settings.shell:
        yield _ours(facts, role, f"{name}: a shell into its containers is open (ecs execute-command)")
    if role == "api" and (settings.minimum_percent, settings.maximum_percent) != (100, 200):
        now = f"{settings.minimum_percent} to {settings.maximum_percent} percent"
        yield _ours(facts, role, f"{name}: a roll-out runs {now} of the containers, not 100 to 200")
    if len(settings.groups) > 1:
        yield _ours(facts, role, f"{name}: its containers are in {len(settings.groups)} security groups, not in one")


def _of_task(facts: RecoveryFacts, role: str, task: TaskSettings) -> Iterator[Finding]:
    section = facts.expected.section
    sizes = {
        "api": (section.size.cpu, section.size.memory),
        "queue": (section.queue.cpu, section.queue.memory),
        "cache": (section.cache.cpu, section.cache.memory),
    }
    wanted = section.cache.image if role == "cache" else section.image
    if task.image != wanted:
        yield _ours(facts, role, f"service {role} runs image {task.image}, the config says {wanted}", Restore.PERSON)
    cpu, memory = sizes[role]
    if (task.cpu, task.memory) != (cpu, memory):
        now = f"{task.cpu} CPU units and {task.memory} MiB"
        words = f"service {role}: a container has {now}, the config says {cpu} and {memory}"
        yield _ours(facts, role, words, Restore.PERSON)


def _of_count(facts: RecoveryFacts, role: str, service: ServiceFacts) -> Iterator[Finding]:
    least, most = limits(facts, role)
    if service.desired == 0 or service.status != "ACTIVE":
        return  # the roll-out's findings say so
    if least < most and least <= service.desired <= most:
        if service.desired != least:
            yield _kept(
                "scaled",
                role,
                f"service {role}: {service.desired} containers are wanted, as scaling may ({least} to {most})",
            )
    elif service.desired != least:
        then = str(least) if least == most else f"{least} to {most}"
        yield _ours(facts, role, f"service {role}: {service.desired} containers are wanted, the config says {then}")


def limits(facts: RecoveryFacts, role: str) -> tuple[int, int]:
    """The fewest and the most containers of a service, by the config."""
    section = facts.expected.section
    if role == "api":
        return section.size.min_containers, section.size.max_containers
    return (section.queue.containers, section.queue.max_containers) if role == "queue" else (1, 1)


def _of_scaling(facts: RecoveryFacts, role: str, scaling: ScalingSettings) -> Iterator[Finding]:
    least, most = limits(facts, role)
    if (scaling.minimum, scaling.maximum) != (least, most):
        now = f"{scaling.minimum} and {scaling.maximum}"
        yield _ours(facts, role, f"service {role} scales between {now} containers, the config says {least} and {most}")
    added = sorted(set(scaling.policies) - set(facts.expected.policies.get(role, ())))
    if added:
        yield _kept("policies", role, f"service {role} has scaling policies beside ours: {', '.join(added)}")


def _of_database(facts: RecoveryFacts, database: DatabaseSettings) -> Iterator[Finding]:
    wanted = facts.expected.section.database
    pairs: Mapping[str, tuple[object, object, str]] = {
        "class": (database.instance_class, wanted.instance_class, "DBInstanceClass"),
        "Multi-AZ": (database.multi_az, wanted.multi_zone, "MultiAZ"),
        "days of backups": (database.backup_days, wanted.backup_retention_days, "BackupRetentionPeriod"),
        "protection from deletion": (database.deletion_protection, wanted.deletion_protection, ""),
        "most storage": (database.max_storage_gib, wanted.max_storage_gb, ""),
        "public address": (database.public, False, ""),
    }
    for what, (now, then, pending) in pairs.items():
        if now == then:
            continue
        if pending and database.pending.get(pending) == then:
            yield _kept("pending", "database", f"the database: {what} becomes {_shown(then)} in its maintenance window")
        else:
            yield _ours(facts, "database", f"the database: {what} is {_shown(now)}, the config says {_shown(then)}")
    yield from _of_version(facts, database)
    if database.storage_gib > wanted.storage_gb and wanted.max_storage_gb is not None:
        words = f"the database: RDS has enlarged the storage to {database.storage_gib} GiB ({wanted.storage_gb} first)"
        yield _kept("grown", "database", words)
    elif database.storage_gib != wanted.storage_gb and "AllocatedStorage" not in database.pending:
        words = f"the database has {database.storage_gib} GiB of storage, the config says {wanted.storage_gb}"
        yield _ours(facts, "database", words)
    if len(database.groups) > 1:
        yield _ours(facts, "database", f"the database is in {len(database.groups)} security groups, not in one")


def _of_version(facts: RecoveryFacts, database: DatabaseSettings) -> Iterator[Finding]:
    """A version without its minor part means any of them."""
    wanted = facts.expected.section.database.engine_version
    fits = database.engine_version == wanted or database.engine_version.startswith(f"{wanted}.")
    if not fits and database.pending.get("EngineVersion") != wanted:
        words = f"the database runs PostgreSQL {database.engine_version}, the config says {wanted}"
        yield _ours(facts, "database", words)


def _of_alarm(facts: RecoveryFacts, alarm: AlarmSettings) -> Iterator[Finding]:
    added = [
        arn for arn in alarm.actions if ":scalingPolicy:" not in arn and arn.rpartition(":")[2] != facts.expected.topic
    ]
    if added:
        yield _ours(facts, alarm.subject, f"alarm {alarm.subject} also tells {', '.join(added)}: byoc up takes it off")
    wanted = facts.expected.alarm_rules.get(alarm.subject)
    other = list(differences(alarm.rule, wanted)) if wanted and alarm.rule else []
    if other:
        yield _ours(facts, alarm.subject, f"alarm {alarm.subject} goes off otherwise: {'; '.join(other)}")


def _of_tags(facts: RecoveryFacts, part: str, name: str, tags: Mapping[str, str]) -> Iterator[Finding]:
    expected = facts.expected
    wanted = {
        **expected.tags,
        INSTALL_KEY: expected.install,
        DEPLOYMENT_KEY: expected.deployment,
    }
    lacking = sorted(key for key, value in wanted.items() if tags.get(key) != value and not _ignored(facts, key))
    if lacking:
        yield _ours(facts, part, f"{name} lacks its tags, or has others: {', '.join(lacking)}")
    added = sorted(
        key for key in tags if key not in wanted and not key.startswith(_AWS_PREFIX) and key != RETENTION_KEY
    )
    if added:
        ignored = all(_ignored(facts, key) for key in added)
        ending = "" if ignored else "; byoc:ignoreTags makes sure that no run takes them off"
        yield _kept("tags", part, f"{name} has tags beside ours: {', '.join(added)}{ending}")


def _ignored(facts: RecoveryFacts, key: str) -> bool:
    return key in facts.expected.ignored_keys or key.startswith(facts.expected.ignored_prefixes)


def _of_groups(facts: RecoveryFacts, groups: Mapping[str, Group]) -> Iterator[Finding]:
    """Rules are resources of their own: one that somebody added stays, one of ours that is gone is missed."""
    api, database = facts.services.get("api"), facts.database
    ports = []
    if isinstance(api, ServiceSettings):
        ports += [("api", id_, SERVER_PORT, "the servers", facts.expected.service_group) for id_ in api.groups[:1]]
    if isinstance(database, DatabaseSettings):
        ports += [
            ("database", id_, POSTGRES_PORT, "the database", facts.expected.data_group) for id_ in database.groups[:1]
        ]
    for part, id_, port, name, wanted in ports:
        group = groups.get(id_)
        if group is None:
            continue
        if wanted not in (group.id, group.name):
            yield _ours(facts, part, f"{name}: the security group is {group.name} ({group.id}), not {wanted}")
            continue
        if not any(opening.lets_in(port) for opening in group.openings):
            yield Finding(
                id="drift.rule-absent",
                area=Area.DRIFT,
                part=part,
                severity=Severity.CRITICAL,
                words=f"nothing reaches {name}: no rule of group {group.name} lets port {port} in",
                way_out=f"byoc up --refresh {facts.expected.stack} makes its rules again"
                if facts.expected.inline
                else "byoc up --refresh of the account stack makes its rules again",
                restore=Restore.WATCH if facts.expected.inline else None,
            )
        added = [opening for opening in group.openings if not _is_ours(opening, port)]
        for opening in added:
            ports_in = (
                "everything"
                if opening.protocol == "-1"
                else f"{opening.protocol} {_range(opening.first, opening.last)}"
            )
            yield _kept("rule", part, f"group {group.name} has a rule beside ours: {ports_in} from {opening.source}")


def _is_ours(opening: Opening, port: int) -> bool:
    if not opening.source.startswith("sg-"):
        return False
    return (opening.first, opening.last) in {(port, port), (6379, 6379)} and opening.protocol == "tcp"


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _ours(facts: RecoveryFacts, part: str, words: str, restore: Restore = Restore.WATCH) -> Finding:
    """What is managed here and differs; of the database only a person restores it, whatever ``restore`` says."""
    stack = facts.expected.stack
    return Finding(
        id="drift.managed",
        area=Area.DRIFT,
        part=part,
        severity=Severity.WARNING,
        words=words,
        way_out=f"byoc up --refresh {stack} makes it as the config says (byoc preview --refresh shows it before); or "
        "write it into the config, if it is meant to stay",
        restore=Restore.PERSON if part == "database" else restore,
    )


def _kept(name: str, part: str, words: str) -> Finding:
    return Finding(id=f"kept.{name}", area=Area.KEPT, part=part, severity=Severity.NOTE, words=words)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value)
