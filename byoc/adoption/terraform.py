"""Reading a Terraform state, format version 4, of the documented public module."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from byoc.adoption.found import Findings, Found, rules_inside
from byoc.errors import InputError

_VERSION = 4
"""The format that Terraform has written since 0.12."""
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]*):(\d{12}):")
_WAY_OUT = "give a file that `terraform state pull` wrote"


def read_terraform_state(path: Path) -> Findings:
    """Everything that the state manages in one account and region; data sources are left out.

    Raises :class:`~byoc.errors.InputError` for a file that is no such state, or that speaks of several accounts or
    regions. Messages hold no value of the file: it holds external ids.
    """
    resources = tuple(_with_rules(_managed(path, _content(path))))
    if not resources:
        raise InputError(f"{path}: the state manages nothing; {_WAY_OUT}")
    account_id, region = _place(path, resources)
    return Findings(account_id=account_id, region=region, source=str(path), live=False, resources=resources)


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; {_WAY_OUT}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; {_WAY_OUT}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: this is not JSON; {_WAY_OUT}") from None
    version = content.get("version") if isinstance(content, dict) else None
    if version != _VERSION or not isinstance(content.get("resources"), list):
        shown = version if isinstance(version, int) else "none"
        raise InputError(f"{path}: no Terraform state of format version {_VERSION}: version {shown}; {_WAY_OUT}")
    return dict(content)


def _managed(path: Path, content: Mapping[str, Any]) -> Iterator[Found]:
    for place, resource in enumerate(content["resources"]):
        try:
            if resource["mode"] != "managed":
                continue
            for instance in resource["instances"]:
                yield Found(
                    type=str(resource["type"]),
                    address=_address(resource, instance),
                    attributes=dict(instance["attributes"]),
                )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise InputError(f"{path}: resources[{place}] is not as Terraform writes it; {_WAY_OUT}") from None


def _address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    """As Terraform itself writes it, so that it can be used in ``terraform state rm``."""
    address = f"{resource['type']}.{resource['name']}"
    if resource.get("module"):
        address = f"{resource['module']}.{address}"
    key = instance.get("index_key")
    return address if key is None else f"{address}[{json.dumps(key)}]"


def _with_rules(resources: Iterator[Found]) -> Iterator[Found]:
    for found in resources:
        yield found
        if found.type == "aws_security_group":
            yield from rules_inside(found)


def _place(path: Path, resources: tuple[Found, ...]) -> tuple[str, str]:
    """The account and region that the ARNs of the state name."""
    accounts: Counter[str] = Counter()
    regions: Counter[str] = Counter()
    for found in resources:
        match = _ARN.match(found.text("arn"))
        if match:
            accounts[match[2]] += 1
            if match[1]:
                regions[match[1]] += 1
    for what, seen in (("account", accounts), ("region", regions)):
        if len(seen) != 1:
            named = ", ".join(sorted(seen)) or "none"
            raise InputError(
                f"{path}: the state's resources are in more or less than one {what}: {named}\n"
                f"      allowed:  the documented module, applied to one account and region\n"
                f"      mend it:  give the state of that module alone, or use byoc adopt --scan"
            )
    return next(iter(accounts)), next(iter(regions))
