"""Settings that would have no effect: refused, since whoever wrote them expects one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from byoc.config.problems import Finding

Path = tuple[str | int, ...]


def without_effect(raw: Mapping[str, object]) -> list[Finding]:
    """Findings about what was written in vain, from the config as written."""
    findings: list[Finding] = []
    for place, deployment, secrets in _deployments(raw):
        findings += _given(
            deployment,
            (*place, "database"),
            besides=("poolSize",),
            when=_is_set(secrets, "postgresUriCustom"),
            because="postgresUriCustom brings a database of your own",
        )
        findings += _given(
            deployment,
            (*place, "cache"),
            when=_is_set(secrets, "redisUriCustom"),
            because="redisUriCustom brings a Redis of your own",
        )
        queue = deployment.get("queue")
        findings += _given(
            deployment,
            (*place, "queue"),
            besides=("mode",),
            when=isinstance(queue, Mapping) and queue.get("mode", "combined") == "combined",
            because="queue.mode is combined",
        )
    return findings


def _deployments(raw: Mapping[str, object]) -> Iterator[tuple[Path, Mapping[str, object], object]]:
    """Every deployment in the config: its path, its settings, its secrets."""
    if raw.get("kind") == "deployment":
        yield (), raw, raw
    deployments = raw.get("deployments")
    secrets = raw.get("deploymentSecrets")
    if raw.get("kind") == "account" and isinstance(deployments, Mapping):
        for name, deployment in deployments.items():
            if isinstance(deployment, Mapping):
                yield (
                    ("deployments", str(name)),
                    deployment,
                    secrets.get(name) if isinstance(secrets, Mapping) else None,
                )


def _is_set(secrets: object, key: str) -> bool:
    return isinstance(secrets, Mapping) and secrets.get(key) is not None


def _given(
    deployment: Mapping[str, object], place: Path, *, when: bool, because: str, besides: tuple[str, ...] = ()
) -> list[Finding]:
    section = deployment.get(str(place[-1]))
    if not when or not isinstance(section, Mapping):
        return []
    return [
        Finding(
            key=(*place, str(key)), allowed=f"nothing, since {because}", remedy="remove it: it would have no effect"
        )
        for key in section
        if key not in besides
    ]
