"""Reading a Terraform state, format version 4, of the documented public module."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from byoc.adoption.found import Findings, Found, rules_inside
from byoc.adoption.kinds import KINDS
from byoc.errors import InputError

_VERSION = 4
"""The format that Terraform has written since 0.12."""
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]*):(\d{12}):")
_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("tags", "tags_all"), lambda value: isinstance(value, dict)),
    **dict.fromkeys(("subnet_ids", "roles"), lambda value: _is_list_of(str, value)),
    **dict.fromkeys(("configuration", "egress", "ingress"), lambda value: _is_list_of(dict, value)),
    "setting": lambda value: _is_list_of(dict, value) and all({"name", "value"} <= item.keys() for item in value),
    **dict.fromkeys(("max_session_duration", "retention_in_days"), lambda value: type(value) is int),
}
"""What attributes that are read as more than text look like, if they are not null."""
_NEEDED: Mapping[str, Sequence[str]] = {
    **{kind.terraform: ("id",) for kind in KINDS},
    "aws_iam_policy": ("id", "arn"),
}
"""By what a thing is told apart, by type."""
_WAY_OUT = "give a file that `terraform state pull` wrote"


def read_terraform_state(path: Path) -> Findings:
    """Everything that the state manages in one account and region; data sources are left out.

    Raises :class:`~byoc.errors.InputError` for a file that is no such state, or that speaks of several accounts or
    regions. Messages hold no value of the file: it holds external ids.
    """
    resources = tuple(_taken_apart(_managed(path, _content(path))))
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
    if not isinstance(content, dict):
        raise InputError(f"{path}: no Terraform state of format version {_VERSION}: version none; {_WAY_OUT}")
    _check_format(path, content)
    return content


def _check_format(path: Path, content: Mapping[str, Any]) -> None:
    """Encrypted states are OpenTofu's."""
    if "encrypted_data" in content:
        raise InputError(
            f"{path}: the state is encrypted\n"
            "      mend it:  give what `tofu state pull` writes where the key is known, and delete it afterwards"
        )
    version = content.get("version")
    if isinstance(version, int) and version > _VERSION:
        raise InputError(
            f"{path}: a state of format version {version}, newer than the one known here, {_VERSION}\n"
            "      mend it:  use byoc adopt --scan, which needs no state"
        )
    if version != _VERSION or not isinstance(content.get("resources"), list):
        shown = version if isinstance(version, int) else "none"
        raise InputError(f"{path}: no Terraform state of format version {_VERSION}: version {shown}; {_WAY_OUT}")


def _managed(path: Path, content: Mapping[str, Any]) -> Iterator[Found]:
    for place, resource in enumerate(content["resources"]):
        try:
            if resource["mode"] != "managed":
                continue
            for instance in resource["instances"]:
                yield Found(
                    type=str(resource["type"]),
                    address=_address(resource, instance),
                    attributes=_attributes(str(resource["type"]), instance),
                )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise InputError(f"{path}: resources[{place}] is not as Terraform writes it; {_WAY_OUT}") from None


def _attributes(type_: str, instance: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ``ValueError`` for what the AWS provider does not write: a strange shape, or a thing without its id."""
    attributes = dict(instance["attributes"])
    for name in _NEEDED.get(type_, ()):
        if not isinstance(attributes.get(name), str) or not attributes[name]:
            raise ValueError(name)
    for name, is_right in _SHAPES.items():
        if attributes.get(name) is not None and not is_right(attributes[name]):
            raise ValueError(name)
    return attributes


def _is_list_of(type_: type, value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, type_) for item in value)


def _address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    """As Terraform itself writes it, so that it can be used in ``terraform state rm``."""
    address = f"{resource['type']}.{resource['name']}"
    if resource.get("module"):
        address = f"{resource['module']}.{address}"
    key = instance.get("index_key")
    return address if key is None else f"{address}[{json.dumps(key)}]"


def _taken_apart(resources: Iterator[Found]) -> Iterator[Found]:
    """What Terraform holds in one resource and Pulumi in several."""
    for found in resources:
        if found.type == "aws_iam_policy_attachment":
            yield from _attachments(found)
        else:
            yield found
        if found.type == "aws_security_group":
            yield from rules_inside(found)


def _attachments(found: Found) -> Iterator[Found]:
    """Earlier versions of the module attach a policy to all of its roles at once."""
    arn = found.text("policy_arn")
    for role in found.attributes.get("roles") or []:
        attributes = {"id": f"{role}/{arn}", "role": role, "policy_arn": arn}
        yield Found(type="aws_iam_role_policy_attachment", address=found.address, attributes=attributes)


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
