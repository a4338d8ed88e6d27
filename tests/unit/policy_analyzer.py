"""The policy pack as the engine starts it and talks to it, without the Pulumi CLI."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from tests.components.harness import Recording, Registration, rpc_struct

PACK = Path(__file__).resolve().parents[2] / "byoc" / "policy"
UNKNOWN = UNKNOWN_STRING_VALUE
PROVIDER_PROPS = {
    "allowedAccountIds": json.dumps(["123456789012"]),
    "defaultTags": json.dumps({"tags": {"byoc-install": "langgraph-cloud"}}),
}


@dataclass(frozen=True)
class Planned:
    """One resource as the engine hands it to an analyzer."""

    type: str
    props: Mapping[str, Any]
    name: str = "it"
    urn: str = ""
    provider_name: str = "aws"
    provider_props: Mapping[str, Any] = field(default_factory=lambda: PROVIDER_PROPS)
    taken_from: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """URNs, by property."""

    @property
    def fields(self) -> dict[str, Any]:
        """What both kinds of request have in common."""
        package = self.type.partition(":")[0]
        provider = analyzer_pb2.AnalyzerProviderResource(
            type=f"pulumi:providers:{package}",
            properties=rpc_struct(self.provider_props),
            urn=f"urn:pulumi:dev::byoc::pulumi:providers:{package}::{self.provider_name}",
            name=self.provider_name,
        )
        return {
            "type": self.type,
            "properties": rpc_struct(self.props),
            "urn": self.urn or f"urn:pulumi:dev::byoc::{self.type}::{self.name}",
            "name": self.name,
            "provider": provider if self.provider_name else None,
        }


@dataclass(frozen=True)
class Finding:
    """One diagnostic of the pack."""

    policy: str
    message: str
    urn: str
    mandatory: bool


class Analyzer:
    """The engine's side of a running pack."""

    def __init__(self, address: str) -> None:
        self._stub: Any = analyzer_pb2_grpc.AnalyzerStub(grpc.insecure_channel(address))

    def info(self) -> Any:
        return self._stub.GetAnalyzerInfo(empty_pb2.Empty())

    def configure(self, **policies: Mapping[str, Any]) -> None:
        """Set the config of policies (with ``_`` for ``-``), and forget any other."""
        config = {}
        for name, properties in policies.items():
            struct = struct_pb2.Struct()
            struct.update(properties)
            config[name.replace("_", "-")] = analyzer_pb2.PolicyConfig(
                enforcementLevel=analyzer_pb2.MANDATORY, properties=struct
            )
        self._stub.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config))

    def analyze(self, resource: Planned) -> list[Finding]:
        return _findings(self._stub.Analyze(analyzer_pb2.AnalyzeRequest(**resource.fields)))

    def analyze_stack(self, resources: Sequence[Planned]) -> list[Finding]:
        entries = [
            analyzer_pb2.AnalyzerResource(
                **resource.fields,
                propertyDependencies={
                    key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
                    for key, urns in resource.taken_from.items()
                },
            )
            for resource in resources
        ]
        return _findings(self._stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=entries)))


def _findings(response: Any) -> list[Finding]:
    return [
        Finding(found.policyName, found.message, found.urn, found.enforcementLevel == analyzer_pb2.MANDATORY)
        for found in response.diagnostics
    ]


@contextmanager
def running_pack() -> Iterator[Analyzer]:
    """The pack in a process of its own, started as the language host starts it; its first line is its port."""
    process = subprocess.Popen([sys.executable, str(PACK), "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port.isdigit(), f"the pack's first line is {port!r}"
        yield Analyzer(f"127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def planned(recording: Recording) -> list[Planned]:
    """What a program registers, as the engine would hand it over at an update."""
    providers = {r.urn: r for r in recording.registrations if r.type.startswith("pulumi:providers:")}
    return [
        Planned(
            type=registration.type,
            props=registration.plain,
            name=registration.name,
            urn=registration.urn,
            provider_name=_provider(registration, providers).name,
            provider_props=_provider(registration, providers).plain,
        )
        for registration in recording.custom
    ]


def _provider(registration: Registration, providers: Mapping[str, Registration]) -> Registration:
    return providers[registration.provider.rpartition("::")[0]]


def finished(resources: Sequence[Planned]) -> list[Planned]:
    """The same resources with the ids and ARNs that the recording gives them."""
    return [
        Planned(
            type=resource.type,
            props={"id": f"{resource.name}-id", "arn": _arn(resource), **resource.props},
            name=resource.name,
            urn=resource.urn,
            provider_name=resource.provider_name,
            provider_props=resource.provider_props,
        )
        for resource in resources
    ]


def previewed(resources: Sequence[Planned]) -> list[Planned]:
    """The same resources before any is made: ids and ARNs are unknown, and told by what they are taken from."""
    homes = {f"{resource.name}-id": resource.urn for resource in resources}
    homes |= {_arn(resource): resource.urn for resource in resources}
    shown = []
    for resource in resources:
        taken_from: dict[str, list[str]] = {}
        props: dict[str, Any] = {"id": UNKNOWN, "arn": UNKNOWN}
        for key, value in resource.props.items():
            items = value if isinstance(value, list) else [value]
            sources = [homes[item] for item in items if isinstance(item, str) and item in homes]
            taken_from |= {key: sources} if sources else {}
            unknown: Any = [UNKNOWN for _ in items] if isinstance(value, list) else UNKNOWN
            props[key] = unknown if sources else value
        shown.append(
            Planned(
                type=resource.type,
                props=props,
                name=resource.name,
                urn=resource.urn,
                provider_name=resource.provider_name,
                provider_props=resource.provider_props,
                taken_from=taken_from,
            )
        )
    return shown


def _arn(resource: Planned) -> str:
    return f"arn:aws:test:us-west-2:123456789012:{resource.name}"
