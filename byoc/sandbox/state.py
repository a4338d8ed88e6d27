"""What a stack has made, kept so that a killed run loses nothing.

The state of a stack is a snapshot (JSON) and a journal (one JSON object per line). Every step is appended to the
journal before and after its AWS call, so that a run that dies at any point can be taken up again; a finished run folds
the journal into the snapshot. Replaying a journal on a snapshot that holds it already changes nothing. Secrets are
encrypted.

A resource is written down in O(its own size), however large the stack is.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from byoc.errors import ByocError
from byoc.sandbox.state_crypto import StateCrypter
from byoc.values import Secret

_SECRET_MARK = "$secret"  # noqa: S105 - a key of the state format


@dataclass(frozen=True, kw_only=True)
class ResourceState:
    """One resource of a stack. ``inputs`` and ``outputs`` are by wire name, secrets wrapped."""

    urn: str
    type: str
    custom: bool
    id: str = ""
    key: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    """Of this very thing. Another one has another, even if URN and id are alike (a task definition's is its family)."""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    """URN of the provider resource."""
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    incomplete: bool = False
    """The thing exists, but its set-up was not finished; the next run finishes it."""
    superseded: bool = False
    """A replacement has been made; this one is to be deleted."""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.urn.rsplit("::", 1)[1]

    @property
    def needs(self) -> frozenset[str]:
        """URNs of everything that must outlive this resource."""
        return frozenset(filter(None, (*self.dependencies, self.parent, self.provider, self.deleted_with)))


class StackState:
    """The recorded state of one stack. All methods may be called from many threads."""

    def __init__(self, folder: Path, stack: str, crypter: StateCrypter) -> None:
        self._snapshot = folder / f"{stack}.json"
        self._journal_path = folder / f"{stack}.journal"
        self._lock_path = folder / f"{stack}.lock"
        self._crypter = crypter
        self._lock = threading.Lock()
        self._journal: int | None = None
        self.stack = stack
        self.resources: dict[str, ResourceState] = {}
        """Live resources by URN, in the order in which they were first made."""
        self.superseded: dict[str, ResourceState] = {}
        """Replaced resources that still have to be deleted, by their keys."""
        self.begun: dict[str, ResourceState] = {}
        """Creates that were begun and never answered, by URN."""
        self.outputs: Mapping[str, Any] = {}
        self._load()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the stack for one run; raises ``ByocError`` if another process holds it. A killed process lets go."""
        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._lock_path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ByocError(
                    f"stack '{self.stack}' is being changed by another process; wait until that run has ended"
                ) from None
            self._load()
            yield
        finally:
            self.close()
            os.close(descriptor)

    def begin(self, resource: ResourceState) -> None:
        """Note that the create call of ``resource`` is about to be made."""
        self._write({"op": "begin", "resource": self._dump(resource)})

    def abandon(self, urn: str) -> None:
        """Note that a begun create made nothing."""
        self._write({"op": "abandon", "urn": urn})

    def put(self, resource: ResourceState) -> None:
        """Record a resource as it is now."""
        self._write({"op": "put", "resource": self._dump(resource)})

    def supersede(self, urn: str) -> None:
        """Mark the live resource of a URN as replaced, to be deleted later."""
        self._write({"op": "supersede", "urn": urn})

    def drop(self, resource: ResourceState) -> None:
        """Forget a resource that is gone."""
        self._write({"op": "drop", "urn": resource.urn, "key": resource.key})

    def set_outputs(self, outputs: Mapping[str, Any]) -> None:
        """Record the stack's outputs."""
        self._write({"op": "outputs", "outputs": self._seal(outputs)})

    def fold(self) -> None:
        """Write the snapshot and empty the journal; removes both when nothing is left."""
        with self._lock:
            if not (self.resources or self.superseded or self.begun):
                self._snapshot.unlink(missing_ok=True)
            else:
                document = {
                    "version": 1,
                    "stack": self.stack,
                    "resources": [self._dump(item) for item in self.resources.values()],
                    "superseded": [self._dump(item) for item in self.superseded.values()],
                    "begun": [self._dump(item) for item in self.begun.values()],
                    "outputs": self._seal(self.outputs),
                }
                draft = self._snapshot.with_suffix(".tmp")
                draft.touch(mode=0o600)
                draft.write_text(json.dumps(document, separators=(",", ":")))
                draft.replace(self._snapshot)
            self._close()
            self._journal_path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the journal; what was written stays."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None

    def _write(self, entry: dict[str, Any]) -> None:
        line = json.dumps(entry, separators=(",", ":")) + "\n"
        with self._lock:
            if self._journal is None:
                self._journal_path.parent.mkdir(parents=True, exist_ok=True)
                self._journal = os.open(self._journal_path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            os.write(self._journal, line.encode())
            self._apply(entry)

    def _apply(self, entry: dict[str, Any]) -> None:
        match entry["op"]:
            case "begin":
                resource = self._load_resource(entry["resource"])
                self.begun[resource.urn] = resource
            case "abandon":
                self.begun.pop(entry["urn"], None)
            case "put":
                resource = self._load_resource(entry["resource"])
                self.begun.pop(resource.urn, None)
                self.resources[resource.urn] = resource
            case "supersede":
                old = self.resources.pop(entry["urn"], None)
                if old is not None:
                    self.superseded[old.key] = replace(old, superseded=True)
            case "drop":
                live = self.resources.get(entry["urn"])
                self.superseded.pop(entry["key"], None)
                if live is not None and live.key == entry["key"]:
                    del self.resources[entry["urn"]]
            case "outputs":
                self.outputs = self._open(entry["outputs"])

    def _load(self) -> None:
        self.resources, self.superseded, self.begun, self.outputs = {}, {}, {}, {}
        if self._snapshot.exists():
            document = json.loads(self._snapshot.read_text())
            self.resources = {item["urn"]: self._load_resource(item) for item in document["resources"]}
            replaced = [self._load_resource(item) for item in document["superseded"]]
            self.superseded = {item.key: item for item in replaced}
            self.begun = {item["urn"]: self._load_resource(item) for item in document["begun"]}
            self.outputs = self._open(document["outputs"])
        if self._journal_path.exists():
            for line in self._journal_path.read_text().splitlines():
                try:
                    entry = json.loads(line)
                except json.JSONDecodeError:
                    break  # the line that was being written when the process was killed
                self._apply(entry)

    def _dump(self, resource: ResourceState) -> dict[str, Any]:
        document = {key: value for key, value in vars(resource).items() if value or key in ("urn", "type", "custom")}
        for key in ("inputs", "outputs"):
            if key in document:
                document[key] = self._seal(document[key])
        return document

    def _load_resource(self, document: Mapping[str, Any]) -> ResourceState:
        fields = dict(document)
        for key in ("inputs", "outputs"):
            fields[key] = self._open(fields.get(key, {}))
        fields["dependencies"] = tuple(fields.get("dependencies", ()))
        fields["property_dependencies"] = {
            key: tuple(urns) for key, urns in fields.get("property_dependencies", {}).items()
        }
        return ResourceState(**fields)

    def _seal(self, value: Any) -> Any:  # noqa: ANN401 - property values are of any type
        if isinstance(value, Secret):
            return {_SECRET_MARK: self._crypter.encrypt(json.dumps(self._seal(value.value)))}
        if isinstance(value, Mapping):
            return {key: self._seal(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._seal(item) for item in value]
        return value

    def _open(self, value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, dict):
            if _SECRET_MARK in value:
                return Secret(self._open(json.loads(self._crypter.decrypt(value[_SECRET_MARK]))))
            return {key: self._open(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._open(item) for item in value]
        return value
