"""A cloud of two made-up resource types, for testing the engine alone: each call is counted and can be made to fail."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
from botocore.exceptions import ClientError

from byoc.sandbox import engine, lifecycle, monitor, registry
from byoc.sandbox.handlers.base import AutoName, Aws, Handler, Properties
from byoc.sandbox.providers import Providers


def aws_error(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "made up"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "X"
    )


@dataclass
class FakeCloud:
    """What exists, and what was called."""

    things: dict[str, Properties] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    on_call: Callable[[int, str, str], None] = lambda _index, _call, _when: None
    """Called before and after each call with its index from 0; may raise."""
    path: Path | None = None
    """Where what exists is kept, so that it outlives a killed process; None keeps it in memory only."""
    endpoint: str = "http://127.0.0.1:1"
    _ids: Iterator[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reload(self) -> None:
        """Take up what another process left."""
        assert self.path is not None
        self.things = json.loads(self.path.read_text()) if self.path.exists() else {}

    def administrator(self, account_id: str) -> Mapping[str, str]:
        return {}

    def control_plane(self, role_arn: str) -> Mapping[str, str]:
        return {}

    def call(self, name: str, act: Callable[[], Any]) -> Any:
        with self._lock:
            index = len(self.calls)
            self.calls.append(name)
            self.on_call(index, name, "before")
            result = act()
            if self.path is not None:
                self.path.write_text(json.dumps(self.things))
            self.on_call(index, name, "after")
        return result

    def make(self, kind: str, inputs: Properties) -> str:
        def act() -> str:
            found = f"{kind}-{next(self._ids)}"
            while found in self.things:
                found = f"{kind}-{next(self._ids)}"
            self.things[found] = dict(inputs)
            return found

        made: str = self.call(f"make {kind} {inputs['label']}", act)
        return made


class FakeSession:
    """What a handler gets instead of AWS: the fake cloud."""

    account_id = "123456789012"
    region = "us-west-2"
    partition = "aws"
    last_action = "fake:Call"

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud

    @contextmanager
    def unrepeated(self) -> Iterator[None]:
        yield

    def client(self, service: str) -> Any:
        return self.cloud


class Thing(Handler):
    """``label`` can change in place, ``shape`` replaces, ``name`` is made up."""

    token = "fake:index:Thing"
    replace_on = frozenset({"shape", "on"})
    autoname = AutoName()
    taggable = True

    def create(self, aws: Aws, inputs: Properties) -> str:
        made: str = aws.client("fake").make("thing", inputs)
        return made

    def find(self, aws: Aws, inputs: Properties) -> str | None:
        things: dict[str, Properties] = aws.client("fake").things
        return next((key for key, value in things.items() if value["name"] == inputs["name"]), None)

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        cloud = aws.client("fake")
        cloud.call(f"configure {inputs['label']}", lambda: cloud.things[id].update(configured=True))

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        cloud = aws.client("fake")
        thing = cloud.call(f"read {inputs['label']}", lambda: cloud.things.get(id))
        return None if thing is None else {"arn": f"arn:{id}"}

    def update(self, aws: Aws, id: str, old: Properties, new: Properties) -> None:
        cloud = aws.client("fake")
        cloud.call(f"update {new['label']}", lambda: cloud.things[id].update(new))

    def told(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        cloud: FakeCloud = aws.client("fake")
        return cloud.things.get(id)

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        cloud = aws.client("fake")
        cloud.call(f"delete {state['label']}", lambda: cloud.things.pop(id, None))


class Database(Thing):
    token = "fake:index:Database"
    refuse_replacement = "its data would be lost"

    def leaves(self, state: Properties) -> tuple[str, ...]:
        return (f"snapshot of {state['label']}",)


class Numbered(Thing):
    """Like a task definition: each one has a number, and all of one name have the same id."""

    token = "fake:index:Numbered"

    def create(self, aws: Aws, inputs: Properties) -> str:
        super().create(aws, inputs)
        return str(inputs["label"])

    def configure(self, aws: Aws, id: str, inputs: Properties) -> None:
        """Nothing more to do."""

    def read(self, aws: Aws, id: str, inputs: Properties) -> Properties | None:
        return {"number": max(aws.client("fake").things)}

    def delete(self, aws: Aws, id: str, state: Properties) -> None:
        cloud = aws.client("fake")
        cloud.call(f"delete {state['number']}", lambda: cloud.things.pop(state["number"], None))


class FakeProvider(pulumi.ProviderResource):
    def __init__(self, name: str, region: str = "us-west-2", tags: str = '{"tags": {"team": "a"}}') -> None:
        super().__init__("fake", name, {"region": region, "defaultTags": tags})


class FakeResource(pulumi.CustomResource):
    arn: pulumi.Output[str]
    label: pulumi.Output[str]

    def __init__(
        self, logical: str, /, *, kind: str = "Thing", opts: pulumi.ResourceOptions | None = None, **inputs: Any
    ) -> None:
        super().__init__(f"fake:index:{kind}", logical, {"arn": None, "label": logical, **inputs}, opts)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    """A fresh fake cloud that the engine uses for ``fake:`` types."""
    made = FakeCloud()
    handlers: dict[str, Handler] = {handler.token: handler for handler in (Thing(), Database(), Numbered())}
    monkeypatch.setattr(registry, "_tables", lambda: (handlers, {}))
    monkeypatch.setattr(Providers, "_unconfigured_session", lambda _self: FakeSession(made))
    monkeypatch.setattr(lifecycle, "_CREATE_ATTEMPTS", 6)
    assert engine
    assert monitor
    return made
