"""Answers that the gate gives itself, in the form of each AWS protocol: errors, and results of what moto lacks."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from moto.core.serialize import XFormedAttributePicker, get_serializer_class
from moto.core.utils import get_service_model

from byoc.sandbox.emulator.requests import ApiRequest

_ERROR_CODE_IN_XML = re.compile(rb"<Code>([^<]+)</Code>")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, headers, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)

    @property
    def status_line(self) -> str:
        """The status as WSGI wants it."""
        known = {item.value: item.phrase for item in HTTPStatus}
        return f"{self.status} {known.get(self.status, 'Unknown')}"

    @property
    def error_code(self) -> str | None:
        """The AWS error code of a failed call; None for a success."""
        if self.status < HTTPStatus.BAD_REQUEST:
            return None
        headers = {name.lower(): value for name, value in self.headers}
        if "x-amzn-query-error" in headers:
            return headers["x-amzn-query-error"].partition(";")[0]
        found = _ERROR_CODE_IN_XML.search(self.body)
        if found:
            return found.group(1).decode()
        code = headers.get("x-amzn-errortype") or self._code_in_json()
        return code.partition(":")[0].rpartition("#")[2] if code else str(self.status)

    def _code_in_json(self) -> str:
        try:
            return str(json.loads(self.body).get("__type", ""))
        except (ValueError, AttributeError):
            return ""


class AwsError(Exception):
    """An AWS error that the gate answers with.

    ``codes`` gives the error code and HTTP status by protocol family (``query``, ``ec2``, ``json``), or by service
    where one differs from its family.
    """

    def __init__(self, message: str, codes: Mapping[str, tuple[str, int]]) -> None:
        super().__init__(message)
        self.message = message
        self.codes = codes

    @classmethod
    def plain(cls, code: str, message: str, status: int = 400) -> AwsError:
        """An error with the same code and status in every protocol."""
        return cls(message, {"query": (code, status), "ec2": (code, status), "json": (code, status)})


ACCESS_DENIED = {
    "query": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "json": ("AccessDeniedException", 400),
    "sns": ("AuthorizationError", 403),
}
INVALID_KEY = {
    "query": ("InvalidClientTokenId", 403),
    "ec2": ("AuthFailure", 401),
    "json": ("UnrecognizedClientException", 400),
}
INVALID_SIGNATURE = {
    "query": ("SignatureDoesNotMatch", 403),
    "ec2": ("AuthFailure", 401),
    "json": ("InvalidSignatureException", 400),
}
EXPIRED_TOKEN = {
    "query": ("ExpiredToken", 403),
    "ec2": ("RequestExpired", 400),
    "json": ("ExpiredTokenException", 400),
}
THROTTLED = {
    "query": ("Throttling", 400),
    "ec2": ("RequestLimitExceeded", 503),
    "json": ("ThrottlingException", 400),
}
INTERNAL_ERROR = {
    "query": ("InternalFailure", 500),
    "ec2": ("InternalError", 500),
    "json": ("InternalServerError", 500),
}
UNAVAILABLE = {
    "query": ("ServiceUnavailable", 503),
    "ec2": ("Unavailable", 503),
    "json": ("ServiceUnavailableException", 503),
}

_FAMILY = {"query": "query", "rest-xml": "query", "ec2": "ec2", "json": "json", "rest-json": "json"}


def error_answer(request: ApiRequest, error: AwsError) -> Answer:
    """``error`` in the protocol of ``request``."""
    family = _FAMILY[request.protocol]
    code, status = error.codes.get(request.service) or error.codes[family]
    request_id = str(uuid.uuid4())
    if family == "json":
        return _json_error(request, error, code, status, request_id)
    fault = "Sender" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Receiver"
    if family == "ec2":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
            f"<Code>{code}</Code><Message>{escape(error.message)}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        namespace = get_service_model(request.service).metadata.get("xmlNamespace", "")
        attribute = f' xmlns="{namespace}"' if namespace else ""
        body = (
            f"<ErrorResponse{attribute}><Error><Type>{fault}</Type><Code>{code}</Code>"
            f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return _answer(status, body, "text/xml", [("x-amzn-RequestId", request_id)])


def _json_error(request: ApiRequest, error: AwsError, code: str, status: int, request_id: str) -> Answer:
    if request.protocol == "rest-json" and code == ACCESS_DENIED["json"][0]:
        status = HTTPStatus.FORBIDDEN
    metadata = get_service_model(request.service).metadata
    version = metadata.get("jsonVersion", "1.1")
    content_type = "application/json" if request.protocol == "rest-json" else f"application/x-amz-json-{version}"
    headers = [("x-amzn-RequestId", request_id), ("x-amzn-ErrorType", code)]
    if "awsQueryCompatible" in metadata:
        # A service that once spoke the query protocol keeps its error codes (CloudWatch).
        headers.append(("x-amzn-query-error", f"{error.codes['query'][0]};Sender"))
    return _answer(status, json.dumps({"__type": code, "message": error.message}), content_type, headers)


def result_answer(request: ApiRequest, result: Mapping[str, Any]) -> Answer:
    """A successful ``result`` in the protocol of ``request``.

    ``result`` goes by the names of the service model, and may hold moto's models, as in moto's own answers.
    """
    operation = get_service_model(request.service).operation_model(request.operation)
    serializer_class = get_serializer_class(request.service, request.protocol)
    serializer = serializer_class(operation_model=operation, value_picker=XFormedAttributePicker())
    response = serializer.serialize(dict(result))
    content_type = response["headers"].get("Content-Type", "text/xml")
    return _answer(
        int(response["status_code"]), response["body"], content_type, [("x-amzn-RequestId", str(uuid.uuid4()))]
    )


def json_answer(status: int, value: object) -> Answer:
    """An answer of the control API."""
    return _answer(status, json.dumps(value), "application/json", [])


def unreadable_answer(message: str) -> Answer:
    """The answer to a request that is no signed AWS call, whose protocol is therefore unknown."""
    return _answer(
        403, json.dumps({"__type": "MissingAuthenticationTokenException", "message": message}), "application/json", []
    )


def _answer(status: int, body: str | bytes, content_type: str, headers: Iterable[tuple[str, str]]) -> Answer:
    encoded = body.encode() if isinstance(body, str) else body
    return Answer(
        int(status), [("Content-Type", content_type), ("Content-Length", str(len(encoded))), *headers], encoded
    )
