"""Writing an export into a folder: nothing that somebody else wrote or changed is touched.

The folder's marker holds the digest of each file as an export left it. A file whose digest is another one was changed;
one that the marker does not list is somebody else's. Both are refused, before anything is written, unless forced.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from byoc.errors import InputError, Problem
from byoc.fleet.problems import refuse_if

MARKER = ".byoc-fleet.json"
"""The file that says which files of a folder an export wrote, and their digests."""

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Written:
    """What came of it: names of files, sorted."""

    written: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def write_folder(
    folder: Path,
    form: str,
    files: Callable[[], Iterator[tuple[str, str]]],
    *,
    keep: Callable[[str], bool],
    force: bool,
) -> Written:
    """Make ``folder`` hold ``files`` (name and text) of an export in the format ``form``.

    ``files`` is called twice, and one text at a time is held: first to see what would be overwritten, then to write.
    Files of an earlier export that are not among them are removed, unless ``keep`` says of their name to leave them.
    ``force`` overwrites and removes what was changed, too.

    Raises :class:`~byoc.errors.InputError`, before anything is written, if a file is there that no export wrote or
    that was changed since, or if the folder holds an export in another format.
    """
    try:
        earlier = _earlier(folder, form)
        digests = {name: _digest(text.encode()) for name, text in files()}
        stale = sorted(name for name in earlier.keys() - digests.keys() if not keep(name))
        if not force:
            refuse_if(_foreign(folder, digests, stale, earlier))
        folder.mkdir(parents=True, exist_ok=True)
        changed = [name for name, text in files() if _write(folder / name, text)]
        for name in stale:
            (folder / name).unlink(missing_ok=True)
        kept = {name: digest for name, digest in earlier.items() if name not in stale}
        _write_marker(folder, form, kept | digests)
    except OSError as error:
        raise InputError(
            f"--out {folder}: {error.strerror or error}\n"
            "      allowed:  a folder that can be written to\n"
            "      mend it:  correct its permissions, or name another folder"
        ) from None
    unchanged = sorted(digests.keys() - set(changed))
    return Written(written=tuple(sorted(changed)), unchanged=tuple(unchanged), removed=tuple(stale))


def _earlier(folder: Path, form: str) -> dict[str, str]:
    """The files that the marker lists, with the digest of each."""
    path = folder / MARKER
    try:
        marker = json.loads(path.read_text(encoding="utf-8"))
        found, digests = marker["format"], marker["files"]
        sound = all(_FILE_NAME.fullmatch(name) and _DIGEST.fullmatch(digest) for name, digest in digests.items())
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound:
        raise InputError(
            f"{path}: this is no marker of an export\n"
            "      allowed:  the file as byoc fleet export wrote it\n"
            "      mend it:  restore it from version control, or name another folder with --out"
        )
    if found != form:
        raise InputError(
            f"--out {folder}: it holds an export in the format {found}\n"
            f"      allowed:  a folder of its own for --format {form}\n"
            "      mend it:  name another folder, or remove this one"
        )
    return dict(digests)


def _foreign(folder: Path, new: Mapping[str, str], stale: list[str], earlier: Mapping[str, str]) -> Iterator[Problem]:
    """Files that would be lost: changed since an export wrote them, or never written by one."""
    for name in sorted([*new, *stale]):
        there = _digest_of(folder / name)
        if there in (None, new.get(name), earlier.get(name)):
            continue
        got = "changed since the last export" if name in earlier else "written by somebody else"
        yield Problem(
            key=f"--out {folder}",
            value=f"{name}, {got}",
            allowed="files as byoc fleet export wrote them",
            remedy="put the change into fleet.yaml, or name another folder; --force overwrites the file",
        )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(path: Path) -> str | None:
    """The digest of what is there; ``None`` if nothing is."""
    if not os.path.lexists(path):
        return None
    return _digest(path.read_bytes()) if path.is_file() and not path.is_symlink() else "no file"


def _write_marker(folder: Path, form: str, digests: Mapping[str, str]) -> None:
    marker = {"writtenBy": "byoc fleet export", "format": form, "files": dict(sorted(digests.items()))}
    _write(folder / MARKER, json.dumps(marker, indent=2) + "\n")


def _write(path: Path, text: str) -> bool:
    """Replace the file whole or not at all; ``False`` if it says this already."""
    content = text.encode()
    if _digest_of(path) == _digest(content):
        return False
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".byoc-fleet-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o755 if text.startswith("#!") else 0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True
