"""Stack outputs: every output of a component, under its documented name in camelCase."""

from __future__ import annotations

import inspect

import pulumi
from pydantic.alias_generators import to_camel


def export_outputs(component: pulumi.ComponentResource) -> None:
    """Export each annotated output of ``component`` (``role_arn`` as ``roleArn``)."""
    for name in inspect.get_annotations(type(component)):
        pulumi.export(to_camel(name), getattr(component, name))
