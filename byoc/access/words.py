"""What a role is, in sentences: its mode, its switches, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from byoc.access.excess import Beyond
from byoc.access.needs import Used
from byoc.access.probes import Probe, probes
from byoc.access.role import Role
from byoc.permissions.policies.switches import PROVISIONING_TAG


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What was asked of the role's policies."""

    provisioning: Sequence[Used]
    looking_after: Sequence[Used]
    operating: Sequence[Used]
    probes: Sequence[Probe]


def summary(role: Role, answers: Answers) -> tuple[str, ...]:
    """The role in short: switches that change everything first, then who, what, and what not."""
    return (
        *_switches(role),
        *_who(role),
        _mode(role),
        *_what(answers),
        *_data(answers),
        _not(answers),
        *_beside(role),
        _DATA,
    )


def settings_words(role: Role) -> str:
    """Mode and switches on one line, as the config calls them."""
    settings = role.settings
    found = [f"mode {settings.mode}"]
    found += ["guardrails"] if settings.guardrails else []
    found += ["suspended"] if settings.suspend else []
    found += ["observe only"] if settings.observe_only else []
    found += [] if settings.allow_delete else ["no deletions"]
    return ", ".join(found)


def could_be_closed(role: Role, allowed: Sequence[Probe]) -> int:
    """How many of the things that a role allows the guardrails would refuse."""
    if role.settings.guardrails or not role.grants.aws_managed:
        return 0
    refused = {
        probe.words for probe in probes(role, role.under(guardrails=True, suspend=False)) if not probe.decision.allowed
    }
    return sum(probe.words in refused for probe in allowed)


def limits(role: Role) -> tuple[tuple[str, str], ...]:
    """What binds the role beside its policies."""
    if role.boundary is None:
        boundary = "none"
    elif role.own_boundary is None:
        boundary = (
            f"{role.boundary}, a policy of your own: it can only take rights away, and its text is not known here"
        )
    else:
        boundary = f"{role.boundary}, made by this stack; it can only take rights away"
    hours = role.grants.max_session_seconds // 3600
    return (
        ("longest session", "an hour" if hours == 1 else f"{hours} hours; an hour where a role assumes it"),
        ("permissions boundary", boundary),
        ("path", role.grants.path),
    )


def why_more(role: Role, allowed: Sequence[Probe], closed: int) -> str:
    """Why a role may do what is none of this install's business, and what would end that."""
    if not role.grants.aws_managed:
        return "Policies of this library allow what is below."
    way_out = "byoc:access.mode: scoped refuses all of it."
    if not role.settings.guardrails:
        return (
            "The policies of AWS are wider than the need. byoc:access.guardrails: true adds a policy that only denies, "
            f"and refuses {closed} of these {len(allowed)}. {way_out}"
        )
    return (
        "The policies of AWS are wider than the need, and the guardrails do not deny these: Application Auto Scaling "
        f"tries them on the caller's behalf, on names of its own making. {way_out}"
    )


def beyond_heading(role: Role) -> str:
    """What the comparison with the other modes is about."""
    if role.grants.aws_managed:
        return "What documented mode grants beyond need"
    return "What scoped mode saves" if role.settings.mode == "scoped" else "What only observing saves"


def compared_with(role: Role) -> str:
    """The mode that the role is held against, action by action."""
    return "scoped mode" if role.grants.aws_managed else "documented mode"


def beyond_words(role: Role, found: Beyond) -> tuple[str, ...]:
    """The comparison in a few sentences."""
    total, count, services = found.total, found.actions, len(found.difference)
    if not role.grants.aws_managed:
        return (
            f"This role may call {total.role} actions, each on something. Documented mode would allow "
            f"{total.documented}: {count} more, of {services} services. Nothing of what is below is possible for this "
            "role.",
        )
    possible = [item.words for item in found.excesses if item.documented != "refused"]
    left = [item.words for item in found.excesses if item.guarded != "refused"]
    guards = (
        f"The guardrails, which are {'on' if role.settings.guardrails else 'off'} here, take "
        f"{len(possible) - len(left)} of the {len(possible)} things below back"
        + (f"; what stays possible: {'; '.join(left)}." if left else ".")
    )
    return (
        f"The documented policies of AWS are made for many uses. This role may call {total.role} actions, each on "
        f"something; a deployment needs {total.needed}. Scoped mode would allow {total.scoped}, and none of {count} "
        f"others, of {services} services, that this role may call.",
        guards,
    )


def emergency_words(asked: Sequence[Probe]) -> str:
    """What the open role for emergencies answers to what is not this install's."""
    refused = sum(not probe.decision.allowed for probe in asked)
    return f"of {len(asked)} things that are none of this install's business, it is refused {refused}"


def does(role: Role) -> tuple[str, str]:
    """What the role does in the picture: to services, and to secrets."""
    if role.settings.suspend:
        return "nothing: suspended", "nothing"
    if role.settings.observe_only:
        return "reads settings", "reads names"
    return ("makes, changes, deletes" if role.settings.allow_delete else "makes, changes"), "writes, reads back"


def _switches(role: Role) -> Iterator[str]:
    settings = role.settings
    if settings.suspend:
        yield (
            "The role is suspended (byoc:access.suspend): everything is denied to it now, in sessions that are open, "
            "too. The rest of this page says what it could do again with the switch off."
        )
    if settings.observe_only:
        yield (
            "The role only observes (byoc:access.observeOnly): it reads settings and states, and no contents of "
            "secrets. It makes, changes and deletes nothing."
        )
    elif not settings.allow_delete:
        yield (
            "The role may not delete data or services (byoc:access.allowDelete is false): only what was made with the "
            f"tag {PROVISIONING_TAG} and still carries it, so that a create that failed can be rolled back."
        )


def _who(role: Role) -> Iterator[str]:
    principals = role.grants.principals
    who = "1 principal" if len(principals) == 1 else f"{len(principals)} principals"
    ids = "one external id" if role.external_ids == 1 else "one of two external ids, while one replaces the other"
    hours = role.grants.max_session_seconds // 3600
    length = "an hour" if hours == 1 else f"{hours} hours"
    yield f"{who} from outside may assume the role, with {ids}, for {length} at most."
    roots = [arn for arn in principals if arn.endswith(":root")]
    if roots:
        yield f"{', '.join(roots)} is a whole account: whoever that account lets assume roles may assume this one."


def _mode(role: Role) -> str:
    settings, own = role.settings, len(role.grants.own) + len(role.grants.inline)
    if settings.observe_only:
        return f"Mode {settings.mode}, observing only: no policy of AWS, {own} of this library."
    if settings.mode == "scoped":
        return (
            f"Mode scoped: no policy of AWS, {own} of this library, limited to this install's names and tags, this "
            "account and this region."
        )
    guards = (
        "Guardrails are on: a policy that only denies takes back most of what the policies of AWS grant beyond need."
        if settings.guardrails
        else "Guardrails are off: nothing takes back what the policies of AWS grant beyond need."
    )
    return f"Mode documented: {len(role.grants.aws_managed)} policies of AWS, {own} of this library. {guards}"


def _what(answers: Answers) -> Iterator[str]:
    services = {item.service for item in answers.provisioning}
    denied = sum(not item.granted_by for item in answers.provisioning)
    yield (
        f"Provisioning calls {len(answers.provisioning)} actions of {len(services)} services. "
        + (f"The role is refused {denied} of them. " if denied else "")
        + "Each is listed below, with what it is for."
    )
    yield f"Looking after a deployment reads with {_granted(answers.looking_after)}."
    yield (
        f"Operating it (doctor, tracing, revisions, recovery, retention, teardown) calls {_granted(answers.operating)}."
    )


def _granted(found: Sequence[Used]) -> str:
    missing = sum(not item.granted_by for item in found)
    return f"{len(found)} actions; " + (f"{len(found) - missing} of them are granted" if missing else "all are granted")


def _data(answers: Answers) -> Iterator[str]:
    """What of the data itself the role can read, by what is granted."""
    every = (*answers.provisioning, *answers.looking_after, *answers.operating)
    granted = {item.action for item in every if item.granted_by}
    read = []
    if "secretsmanager:GetSecretValue" in granted:
        read.append("the contents of this install's secrets, which provisioning compares on every run")
    if "logs:FilterLogEvents" in granted:
        read.append("what its containers log")
    if "ecr:GetDownloadUrlForLayer" in granted:
        read.append("the images in its repositories")
    yield f"Of data itself the role can read {', and '.join(read)}." if read else "The role can read no data itself."


def _not(answers: Answers) -> str:
    asked, allowed = len(answers.probes), sum(probe.decision.allowed for probe in answers.probes)
    answer = f"refuse {asked - allowed} and allow {allowed}" if allowed else "refuse all"
    return f"Of {asked} things that are none of this install's business, the role's policies {answer}."


def _beside(role: Role) -> Iterator[str]:
    if role.boundary:
        yield f"Permissions boundary: {role.boundary}. It can only take rights away."
    if role.break_glass is not None:
        opening = role.break_glass.opening
        state = f"open from {opening.not_before} to {opening.until}, for {opening.ticket}" if opening else "closed"
        yield f"There is a second role, for emergencies; it is {state}."
    if role.ledger is not None:
        count = len(role.ledger.told)
        yield f"{count} rule{'s tell' if count > 1 else ' tells'} the account's topic of what the roles do."


_DATA = (
    "Data stays in RDS and Secrets Manager of this account. Who runs the deployment stacks also keeps their "
    "state, which holds passwords and connection URIs, encrypted (docs/backends.md)."
)
