"""An AWS HTTP request as data: which service and action, in which region, with which parameters, signed by which key.

Every protocol (query, EC2 query, JSON, REST) is read by moto's own parsers over botocore's service models, so that the
gate sees the very parameters that moto will act on.
"""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from moto.core.model import ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.request import determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition
from werkzeug.exceptions import NotFound

Environ = dict[str, Any]
"""A WSGI environment."""

_SERVICE_OF_SIGNING_NAME = {
    "elasticloadbalancing": "elbv2",
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
}
"""Where botocore's name of a service is not the name that requests are signed with."""
_IAM_PREFIX_OF_SIGNING_NAME = {"monitoring": "cloudwatch", "tagging": "tag"}
"""Where the prefix of an IAM action is not the signing name (AWS docs: Service Authorization Reference)."""
_CLASSIC_LOAD_BALANCER_API = "2012-06-01"

_AUTHORIZATION = re.compile(
    r"^AWS4-HMAC-SHA256\s+Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request\s*,\s*SignedHeaders=(?P<headers>[^,\s]+)\s*,\s*Signature=(?P<signature>[0-9a-f]+)\s*$"
)
_RUN = re.compile(r"\bbyoc-run/([\w.-]+)")


class UnreadableRequestError(Exception):
    """The request is not a signed AWS API call; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Signature:
    """The parts of a SigV4 ``Authorization`` header."""

    access_key: str
    date: str
    region: str
    signing_name: str
    signed_headers: tuple[str, ...]
    value: str


@dataclass(frozen=True, kw_only=True)
class ApiRequest:
    """One AWS API call as the gate sees it.

    ``operation`` is botocore's name of the action, ``parameters`` its input by the service model's names. ``run`` is
    the id that the caller put into its user agent as ``byoc-run/<id>``, or an empty string.
    """

    service: str
    operation: str
    protocol: str
    signature: Signature
    session_token: str
    run: str
    source_address: str
    user_agent: str
    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    parameters: Mapping[str, Any] = field(repr=False)

    @property
    def iam_prefix(self) -> str:
        """The service's prefix in IAM actions: ``cloudwatch``, although requests are signed for ``monitoring``."""
        return _IAM_PREFIX_OF_SIGNING_NAME.get(self.signature.signing_name, self.signature.signing_name)

    @property
    def action(self) -> str:
        """The IAM action that the call itself needs, such as ``ec2:CreateVpc``."""
        return f"{self.iam_prefix}:{self.operation}"

    @property
    def region(self) -> str:
        """The region that the request is signed for; ``us-east-1`` for global services."""
        return self.signature.region

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``."""
        return str(get_partition(self.region))

    def get(self, name: str, default: object = None) -> Any:  # noqa: ANN401 - parameters have the model's types
        """A top-level parameter by its name in the service model."""
        value = self.parameters.get(name)
        return default if value is None else value

    def text(self, name: str) -> str:
        """A top-level text parameter; an empty string when it is absent."""
        value = self.parameters.get(name)
        return "" if value is None else str(value)


def read_body(environ: Environ) -> bytes:
    """The request's body; afterwards ``environ`` can be read again from the start."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def read_request(environ: Environ, body: bytes) -> ApiRequest:
    """The AWS API call in a WSGI request whose body was read already.

    Raises :class:`UnreadableRequestError` when the request is unsigned or names no action of a known service.
    """
    signature = _signature(environ.get("HTTP_AUTHORIZATION", ""))
    service = _service(signature.signing_name, body)
    request = MotoRequest(dict(environ))
    try:
        model = get_service_model(service)
        operation, url_parameters = _operation(service, request, body)
        protocol = determine_request_protocol(model, request.content_type)
        parameters = _parameters(model, operation, protocol, request, body, url_parameters)
    except (UnknownServiceError, OperationNotFoundError, NotFound, NotImplementedError, KeyError, ValueError) as error:
        raise UnreadableRequestError(f"not an action of {signature.signing_name}: {error}") from error
    finally:
        environ["wsgi.input"] = io.BytesIO(body)
    user_agent = environ.get("HTTP_USER_AGENT", "")
    run = _RUN.search(user_agent)
    return ApiRequest(
        service=service,
        operation=operation,
        protocol=protocol,
        signature=signature,
        session_token=environ.get("HTTP_X_AMZ_SECURITY_TOKEN", ""),
        run=run.group(1) if run else "",
        source_address=environ.get("REMOTE_ADDR", "127.0.0.1"),
        user_agent=user_agent,
        method=environ["REQUEST_METHOD"],
        raw_path=request.raw_path,
        query=environ.get("QUERY_STRING", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        parameters=parameters,
    )


def _signature(header: str) -> Signature:
    found = _AUTHORIZATION.match(header)
    if found is None:
        raise UnreadableRequestError("the request carries no AWS Signature Version 4")
    return Signature(
        access_key=found["key"],
        date=found["date"],
        region=found["region"],
        signing_name=found["service"],
        signed_headers=tuple(found["headers"].split(";")),
        value=found["signature"],
    )


def _service(signing_name: str, body: bytes) -> str:
    if signing_name == "elasticloadbalancing" and f"Version={_CLASSIC_LOAD_BALANCER_API}".encode() in body:
        return "elb"
    return _SERVICE_OF_SIGNING_NAME.get(signing_name, signing_name)


def _operation(service: str, request: MotoRequest, body: bytes) -> tuple[str, Mapping[str, Any]]:
    target = request.headers.get("X-Amz-Target")
    if target:
        return str(target).rpartition(".")[2], {}
    action = request.values.get("Action") if body or request.query_string else None
    if action:
        return str(action), {}
    operation, url_parameters = get_service_router(service).match(request)
    return str(operation.name), url_parameters


def _parameters(
    model: ServiceModel,
    operation: str,
    protocol: str,
    request: MotoRequest,
    body: bytes,
    url_parameters: Mapping[str, Any],
) -> Mapping[str, Any]:
    parser = PROTOCOL_PARSERS[protocol](_operation_model(model.service_name, operation))
    parsed: Mapping[str, Any] = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": body,
            "url_path": request.path,
            "url_params": dict(url_parameters),
        }
    )
    return parsed or {}


@functools.cache
def _operation_model(service: str, operation: str) -> Any:  # noqa: ANN401 - moto's models are untyped
    return get_service_model(service).operation_model(operation)
