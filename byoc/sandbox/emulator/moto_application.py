"""moto as a WSGI application: which of its services answers a request, and its answer as data."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Mapping
from typing import Any

from flask import Flask
from moto.core import responses
from moto.core.utils import method_names_from_class
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from byoc.sandbox.emulator.answers import Answer
from byoc.sandbox.emulator.requests import Environ
from byoc.sandbox.emulator.resources import KNOWN_SERVICES

_WARM = ("ec2", "sts", "iam", "ecs", "rds", "elbv2", "logs", "secretsmanager", "servicediscovery", "cloudwatch", "sns")
"""moto's services that are loaded ahead, the slowest first."""

# moto lists a class's methods anew for each request; they do not change.
vars(responses)["method_names_from_class"] = functools.cache(method_names_from_class)


@functools.cache
def _managed_by_aws() -> Mapping[str, Any]:
    policies: Mapping[str, Any] = json.loads(aws_managed_policies_data)
    return policies


def _policies_of_an_account(backend: IAMBackend) -> list[AWSManagedPolicy]:
    return [
        AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
        for name, data in _managed_by_aws().items()
    ]


# moto reads AWS's own policies anew for each account, over four megabytes of JSON.
IAMBackend._init_aws_policies = _policies_of_an_account  # type: ignore[assignment,method-assign]


class MotoApplication:
    """moto's services, each loaded when it is first asked."""

    def __init__(self) -> None:
        self._dispatcher = DomainDispatcherApplication(create_backend_app)
        self._by_service: dict[str, Flask] = {}
        self._warming = threading.Lock()

    def warm_up(self) -> None:
        """Load the services that every stack uses."""
        for service in _WARM:
            with self._warming:
                if service not in self._dispatcher.app_instances:
                    self._dispatcher.app_instances[service] = create_backend_app(service)  # type: ignore[arg-type]

    def answer(self, environ: Environ, service: str, account: str) -> Answer:
        """moto's answer to a request of ``account``. What moto cannot do raises whatever moto raises."""
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = account
        captured: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
            captured.append((status, headers))

        chunks = self._application(environ, service)(environ, start_response)  # type: ignore[arg-type]
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = captured[0]
        return Answer(int(status.partition(" ")[0]), list(headers), body)

    def _application(self, environ: Environ, service: str) -> Flask:
        """The service's application; moto's own look-up reads a directory for each request."""
        found = self._by_service.get(service)
        if found is None:
            with self._warming:
                found = self._dispatcher.get_application(environ)
            if service in KNOWN_SERVICES:
                self._by_service[service] = found
        return found
