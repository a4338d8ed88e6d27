"""The two files of an adoption: the stack's config, and what ``pulumi import --file`` takes."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from byoc.adoption.adoption import Adoption
from byoc.errors import InputError
from byoc.program_recording import Registered
from byoc.project.passphrase import PassphraseCrypter, new_salt
from byoc.values import SECRET_SIGNATURE, SIGNATURE_KEY, contains_secret, plain

_HEADER = """\
# Written by byoc adopt from {source}.
# docs/adopting.md says what comes next, docs/configuration.md lists all keys.
"""


def refuse_to_overwrite(*paths: Path) -> None:
    """Raise :class:`~byoc.errors.InputError` if one of the files is there."""
    there = [str(path) for path in paths if path.exists()]
    if there:
        raise InputError(
            f"there already: {', '.join(there)}; nothing was written\n"
            "      mend it:  name another --stack or --out, or overwrite with --force"
        )


def stack_file_text(adoption: Adoption, project: str, passphrase: str | None) -> str:
    """The stack's file. With a passphrase the external ids are in it, encrypted; without one they are not in it."""
    content: dict[str, Any] = {}
    config = {f"{project}:{key}": value for key, value in adoption.config.items()}
    if passphrase and adoption.secrets:
        salt = new_salt(passphrase)
        crypter = PassphraseCrypter.of_salt(salt, passphrase)
        content["encryptionsalt"] = salt
        config |= {f"{project}:{key}": {"secure": crypter.encrypt(value)} for key, value in adoption.secrets.items()}
    content["config"] = config
    text = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return _HEADER.format(source=Path(adoption.findings.source).name) + text


class _Dumper(yaml.SafeDumper):
    """Puts quotes around what begins with a digit: Go's YAML takes more for numbers than Python's."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = '"' if re.match(r"[\d.+-]", value) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def import_file_text(adoption: Adoption) -> str:
    """The import file: the AWS provider as the program makes it, every component, every resource that is there.

    The format is that of Pulumi 3.259 (``pkg/cmd/pulumi/operations/import.go``): a provider and components stand among
    the resources, a parent and a provider are named by their ``name``. Names are the program's logical names.
    """
    return json.dumps({"resources": list(_specs(adoption))}, indent=2) + "\n"


def _specs(adoption: Adoption) -> Iterator[dict[str, Any]]:
    ids = {item.wanted.name: item.import_id for item in adoption.taken}
    used = {item.wanted.provider for item in adoption.taken}
    for item in adoption.registered:
        if item.is_provider and item.name in used:
            yield {**_placed(item), "inputs": plain(dict(item.inputs))}
        elif not item.custom:
            yield {**_placed(item), "component": True}
        elif item.name in ids:
            yield {**_placed(item), "id": ids[item.name], "provider": item.provider, **_secret_inputs(item)}


def _placed(item: Registered) -> dict[str, Any]:
    placed = {"type": item.type, "name": item.name, "parent": item.parent, "version": item.version}
    return {key: value for key, value in placed.items() if value}


def _secret_inputs(item: Registered) -> Mapping[str, Any]:
    """What the program gives as a secret stays one when it is read: Pulumi keeps AWS's value and the mark, so the text
    here is empty.
    """
    marks = {
        key: {SIGNATURE_KEY: SECRET_SIGNATURE, "plaintext": json.dumps("")}
        for key, value in item.inputs.items()
        if contains_secret(value)
    }
    return {"inputs": marks} if marks else {}


def write_together(texts: Mapping[Path, str]) -> None:
    """Write all files or none: each is written whole beside its place first."""
    folders = [str(path) for path in texts if path.is_dir()]
    if folders:
        raise InputError(f"{', '.join(folders)}: this is a folder; name a file")
    waiting: dict[Path, Path] = {}
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            waiting[path] = Path(name)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            waiting[path].chmod(0o644)
        for path, temporary in waiting.items():
            temporary.replace(path)
    except OSError as error:
        place = error.filename or "the files"
        raise InputError(f"{place}: cannot be written: {error.strerror}; correct the path or its permissions") from None
    finally:
        for temporary in waiting.values():
            temporary.unlink(missing_ok=True)
