"""Everything is made through a provider that the program has made itself."""

from __future__ import annotations

from collections.abc import Iterator

from byoc.policy.facts import Resource, Settings, Violation, violation

DEFAULT = "default"


def explicit_provider(resource: Resource, settings: Settings) -> Iterator[Violation]:  # noqa: ARG001
    """No resource goes through a default provider, which takes whatever account, region and credentials it finds
    (Pulumi docs: "Providers"). The engine names these ``default`` or ``default_<version>``.
    """
    provider = resource.provider
    if provider and (provider.name == DEFAULT or provider.name.startswith(f"{DEFAULT}_")):
        yield violation(
            resource,
            "provider",
            f"{provider.name} ({provider.type}), which Pulumi has made by itself",
            allowed="a provider made in the program, bound to one account, role and region",
            remedy="pass one as the option provider or providers (byoc.provider.aws_provider makes it), and list the "
            "package under pulumi:disable-default-providers",
        )
