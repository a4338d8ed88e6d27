"""From what a user wrote to a valid config, or to one message with everything that is wrong."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from pydantic import ValidationError

from byoc.config.account import AccountConfig
from byoc.config.common import CommonConfig
from byoc.config.deployment import DeploymentConfig
from byoc.config.effects import without_effect
from byoc.config.keys import KINDS, fields_of, is_text, secret_keys
from byoc.config.problems import Finding
from byoc.config.report import Reporter
from byoc.config.section import Section
from byoc.config.wording import NOT_SHOWN
from byoc.errors import ConfigError, Problem

_KIND_TEXT = "account (the customer's own stack) or deployment (one deployment in such an account)"


def decode(values: Mapping[str, str]) -> dict[str, object]:
    """The config as Pulumi hands it to a program, with objects, lists, numbers and switches read from their JSON.

    ``values`` are texts by key, without the ``byoc:`` namespace. Text settings stay as they are, so that an account id
    keeps its digits; what should be JSON and is not stays text, for :func:`load` to refuse.
    """
    plain = {key for model in KINDS.values() for key, field in fields_of(model).items() if is_text(field)}
    return {key: value if key in plain else _json(value) for key, value in values.items()}


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def load(
    raw: Mapping[str, object], *, source: str, encrypted: Collection[str] | None = None
) -> AccountConfig | DeploymentConfig:
    """The config of a stack.

    ``raw`` holds parsed values by key, without the ``byoc:`` namespace; ``source`` names the file in messages;
    ``encrypted`` are the keys whose values were encrypted (``None``: not known), so that a secret in plain text is
    refused.

    Raises :class:`~byoc.errors.ConfigError` with everything that is wrong with the config; no secret is in its message.
    """
    keyed = {str(key): value for key, value in raw.items()}
    kind = keyed.get("kind")
    model: type[Section] = KINDS.get(kind, CommonConfig) if isinstance(kind, str) else CommonConfig
    reporter = Reporter(model, keyed, frozenset(encrypted or ()))
    problems: list[Problem] = []
    config: Section | None = None
    if model is CommonConfig:
        problems.append(_kind_problem(keyed))
        # Without a kind, only the keys of every kind can be judged.
        keyed = {key: value for key, value in keyed.items() if key in fields_of(CommonConfig)} | {"kind": "unknown"}
    try:
        config = model.model_validate(keyed)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems += [problem for detail in details for problem in reporter.of_error(detail)]
    findings = [*without_effect(keyed), *_unencrypted(raw, encrypted)]
    problems += [reporter.of_finding(finding) for finding in findings]
    if problems:
        raise ConfigError(source, _in_order(problems, model)) from None
    if not isinstance(config, AccountConfig | DeploymentConfig):
        raise TypeError(f"{model.__name__} is no kind of stack")
    return config


def _kind_problem(raw: Mapping[str, object]) -> Problem:
    if "kind" not in raw:
        return Problem(
            key="byoc:kind", value="nothing", allowed=_KIND_TEXT, remedy="add byoc:kind to the stack's config"
        )
    known = isinstance(raw["kind"], str) and len(raw["kind"]) <= 40 and raw["kind"].isprintable()
    value = json.dumps(raw["kind"], ensure_ascii=False) if known else NOT_SHOWN
    return Problem(key="byoc:kind", value=value, allowed=_KIND_TEXT, remedy="write one of the two")


def _unencrypted(raw: Mapping[str, object], encrypted: Collection[str] | None) -> list[Finding]:
    if encrypted is None:
        return []
    return [
        Finding(
            key=(key,),
            got="a value in plain text",
            allowed="an encrypted value",
            remedy=f"pulumi config set --secret byoc:{key} … ; the value that stood in the file should no longer "
            "be used",
        )
        for key in sorted(secret_keys())
        if key in raw and key not in encrypted
    ]


def _in_order(problems: list[Problem], model: type[Section]) -> list[Problem]:
    """The problems in the order of the documented keys, each once; unknown keys at the end."""
    order = {key: place for place, key in enumerate(fields_of(model))}
    unique = list(dict.fromkeys(problems))

    def place(problem: Problem) -> int:
        key = problem.key.removeprefix("byoc:").partition(".")[0].partition("[")[0]
        return order.get(key, len(order))

    return sorted(unique, key=place)
