"""What Pulumi and AWS say when something goes wrong, as failures that tell a person what to do."""

from __future__ import annotations

import re

from byoc.runs import Failure

_PROGRAM = "Program failed with an unhandled exception:"
_TRACE = "Traceback (most recent call last):"
_OPERATION = re.compile(r"operation error ([^:,]+): (\w+)")
"""How the AWS SDK names the call that failed."""
_API_ERROR = re.compile(r"api error (\w+): (.+)", re.DOTALL)
_DENIED = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z*]+)")
"""How AWS names the permission that was missing; a call may need more permissions than its own."""
_PREFIXES = {
    "application auto scaling": "application-autoscaling",
    "cloudwatch logs": "logs",
    "elastic load balancing v2": "elasticloadbalancing",
    "cognito identity provider": "cognito-idp",
}
"""The SDK's names of services whose IAM prefix is another word."""
_RUN_AGAIN = "run the same command again: what was made is kept, and only the rest is done"

_REMEDIES: tuple[tuple[str, str], ...] = (
    ("explicit deny", "a policy of this principal forbids {action}: see its guardrails, boundary and organization"),
    (
        r"AccessDenied|UnauthorizedOperation|not authorized to perform|AuthorizationError",
        "grant {action} to this principal (for a deployment: bring the account stack up to date), then run again",
    ),
    (r"Throttl|TooManyRequests|RequestLimitExceeded|ServiceUnavailable", _RUN_AGAIN),
    (
        r"marked for protection|cannot delete protected|protected resource",
        "lift the protection in the config (byoc:database.deletionProtection: false), run up, then destroy",
    ),
    (
        r"AlreadyExists|already exists|EntityAlreadyExists|Duplicate",
        "the name is taken: choose another byoc:namePrefix or deployment name, or delete the other one",
    ),
    (
        r"DependencyViolation|ResourceInUse|has dependencies",
        "something that byoc did not make still uses it: delete that first, then run again",
    ),
    (
        r"no changes were expected",
        "byoc preview shows what differs: run without --expect-no-changes to make it so, or undo what caused it",
    ),
)

_COMMAND_REMEDIES: tuple[tuple[str, str], ...] = (
    (r"no stack named", "pulumi stack init {stack}, or the same command with --init"),
    (
        r"currently locked by|Another update is currently in progress",
        "wait for the other run; if it was killed: pulumi cancel --stack {stack}",
    ),
    (
        r"incorrect passphrase|passphrase must be set|PULUMI_CONFIG_PASSPHRASE",
        "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the stack's passphrase",
    ),
    (
        r"PULUMI_ACCESS_TOKEN must be set|could not determine current backend|not logged in",
        "choose where state lives: pulumi login, or PULUMI_BACKEND_URL (docs/backends.md)",
    ),
    (
        r"unable to open (bucket|state directory)|could not list bucket|unable to check if bucket|NoSuchBucket"
        r"|\.pulumi/meta",
        "check PULUMI_BACKEND_URL; for a bucket its region, its policy and the AWS credentials too (docs/backends.md)",
    ),
    (
        r"operation error KMS|awskms",
        "check that this principal may use the key of the stack's secretsprovider: kms:Encrypt, kms:Decrypt, and the "
        "key's policy (docs/backends.md)",
    ),
    (
        r"no resource plugin|could not find plugin|could not load plugin|failed to install plugin|no language plugin",
        "pulumi install, in the project's folder; with no way to the Internet, put the plugin on PATH",
    ),
    (
        r"virtualenv|No module named",
        "make the project's virtual environment, which Pulumi.yaml names: make demo, or python -m venv and pip install",
    ),
    (r"no changes were expected", _REMEDIES[-1][1]),
)


def resource_failure(text: str, *, urn: str, type: str, op: str) -> Failure:
    """The failure of one resource, from what the provider or the engine said about it."""
    text = _without_trace(text)
    action = _action(text)
    said = _API_ERROR.search(text)
    error = f"{said[1]}: {_flat(said[2])}" if said else _flat(text)
    return Failure(urn=urn, type=type, op=op, action=action, error=error, remedy=_remedy(text, action))


def program_failure(text: str) -> Failure:
    """The failure of the program itself: its own message, a look-up that AWS refused, or a fault of its own."""
    message = text.strip()
    if not message.startswith(_PROGRAM):
        remedy = _remedy(
            message, _action(message), otherwise="correct the cause, then run again; nothing is made twice"
        )
        return Failure(urn="", type="", op="run", action=_action(message), error=message, remedy=remedy)
    fault = _without_trace(message.removeprefix(_PROGRAM)).removeprefix("Exception: ")
    action = _action(fault)
    remedy = _remedy(
        fault,
        action,
        otherwise="a fault of the program or of what it looks up; 'pulumi preview' of the stack shows the place",
    )
    return Failure(urn="", type="", op="run", action=action, error=fault, remedy=remedy)


def command_failure(text: str, *, stack: str) -> Failure:
    """The failure of the CLI before the engine began, from what it wrote."""
    lines = _without_trace(text).splitlines()
    starts = [number for number, line in enumerate(lines) if "error: " in line]
    told = "\n".join(lines[starts[0] :]).partition("error: ")[2].strip() if starts else _last_line(text)
    known = next((way for pattern, way in _COMMAND_REMEDIES if re.search(pattern, told)), "")
    remedy = (known or "correct the cause that Pulumi names, then run again").format(stack=stack or "STACK")
    return Failure(
        urn="", type="", op="pulumi", action="", error=told or "pulumi failed and gave no reason", remedy=remedy
    )


def policy_failure(text: str, *, urn: str, type: str, policy: str) -> Failure:
    """A resource that breaks a mandatory rule of a policy pack."""
    return Failure(
        urn=urn,
        type=type,
        op="check",
        action="",
        error=f"policy {policy}: {_flat(text)}",
        remedy="change the config so that the rule holds; nothing that breaks it is made",
    )


def lost_failure(stack: str) -> Failure:
    """A run that was ended before the engine could finish what it had begun."""
    return Failure(
        urn="",
        type="",
        op="pulumi",
        action="",
        error="the engine was ended while something was under way; what became of that is not recorded",
        remedy=f"byoc refresh {stack}; if the stack is still locked, pulumi cancel --stack {stack} before",
    )


def _action(text: str) -> str:
    denied = _DENIED.search(text)
    if denied:
        return denied[1]
    called = _OPERATION.search(text)
    if not called:
        return ""
    service = called[1].strip().lower()
    return f"{_PREFIXES.get(service, service.replace(' ', ''))}:{called[2]}"


def _remedy(text: str, action: str, otherwise: str = f"mend the cause that is named, then {_RUN_AGAIN}") -> str:
    found = next((way for pattern, way in _REMEDIES if re.search(pattern, text)), otherwise)
    return found.format(action=action or "what the error names")


def _without_trace(text: str) -> str:
    """``text`` with a Python traceback cut down to the exception that ended it."""
    before, trace, after = text.partition(_TRACE)
    if not trace:
        return text.strip()
    lines = after.splitlines()
    ends = [number for number, line in enumerate(lines) if line and not line.startswith((" ", "\t"))]
    return f"{before.strip()}\n{chr(10).join(lines[ends[-1] :] if ends else [])}".strip()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _flat(text: str) -> str:
    """Providers fold and indent their messages; here they stand on one line, without the counting of errors."""
    flat = " ".join(text.split())
    return re.sub(r"^\d+ errors? occurred: \* ", "", flat)
