"""What is handed in as a policy and is none is refused, with its place; external ids by their looks."""

from __future__ import annotations

import json
import re
import secrets
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byoc.permissions.analyser.analyse import analyse
from byoc.permissions.analyser.documents import DocumentError, Kind, kind_of, parse, require_kind
from byoc.permissions.analyser.findings import Subject
from byoc.permissions.external_ids import why_guessable
from byoc.permissions.policies.managed import managed_policies

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def written(*statements: Any, **top: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **top})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{",
            "line 1, column 2: not JSON (Expecting property name enclosed in double quotes); "
            "allowed: a policy document in JSON",
        ),
        ("[]", "the document: []; allowed: an object with Version and Statement"),
        ("{}", "Statement: null; allowed: a statement, or a list of at least one"),
        (written(), "Statement: []; allowed: a statement, or a list of at least one"),
        (written(ALLOW, Version="2012"), 'Version: "2012"; allowed: 2012-10-17 or 2008-10-17'),
        (written(ALLOW, Policy={}), 'the document: "Policy"; allowed: Version, Id, Statement'),
        (written("Allow"), 'Statement[0]: "Allow"; allowed: an object with Effect and Action'),
        (written(ALLOW, {**ALLOW, "Effect": "allow"}), 'Statement[1].Effect: "allow"; allowed: Allow or Deny'),
        (written({**ALLOW, "Sid": 1}), "Statement[0].Sid: 1; allowed: text"),
        (written({**ALLOW, "NotAction": "*"}), "Statement[0]: both Action and NotAction; allowed: one of them"),
        (written({"Effect": "Allow"}), "Statement[0]: neither Action nor NotAction; allowed: one of them"),
        (written({**ALLOW, "Action": []}), "Statement[0].Action: []; allowed: text, or a list of texts"),
        (written({**ALLOW, "Resource": 1}), "Statement[0].Resource: 1; allowed: text, or a list of texts"),
        (
            written({**ALLOW, "Action": "GetObject"}),
            'Statement[0].Action: "GetObject"; allowed: service:Action, with * and ?, or *',
        ),
        (
            written({**ALLOW, "Principal": "me"}),
            'Statement[0].Principal: "me"; allowed: * or an object with AWS, Service, Federated or CanonicalUser',
        ),
        (
            written({**ALLOW, "Principal": {"Aws": "*"}}),
            'Statement[0].Principal: "Aws"; allowed: AWS, Service, Federated, CanonicalUser',
        ),
        (
            written({**ALLOW, "Condition": {"StringEqual": {"aws:username": "a"}}}),
            "Statement[0].Condition.StringEqual: an operator that IAM does not know; "
            "allowed: an operator of IAM, such as StringEquals, ArnLike, Bool or Null",
        ),
        (
            written({**ALLOW, "Condition": {"StringEquals": "a"}}),
            'Statement[0].Condition.StringEquals: "a"; allowed: an object of condition keys',
        ),
        (
            written({**ALLOW, "Condition": {"StringEquals": {"aws:username": {}}}}),
            "Statement[0].Condition.StringEquals.aws:username: {}; allowed: text, number, true, false, or a list",
        ),
        (
            '{"Statement": {"Effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*"}}',
            "the document: 'Effect' twice in one object; allowed: each key once",
        ),
    ],
)
def test_what_is_no_policy_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=re.escape(message)) as caught:
        parse(text)
    assert str(caught.value) == message


def test_lists_within_lists_without_end_are_refused() -> None:
    with pytest.raises(DocumentError, match="the document: "):
        parse("[" * 200_000)


@given(st.text(max_size=40) | st.recursive(st.none() | st.booleans() | st.text(max_size=5), st.lists).map(json.dumps))
def test_any_other_text_is_refused_and_nothing_else_happens(text: str) -> None:
    with pytest.raises(DocumentError):
        parse(text)


elements = st.sampled_from(["Effect", "Action", "Resource", "Principal", "Condition", "NotAction", "Sid"])
values = st.recursive(
    st.sampled_from(["Allow", "Deny", "*", "s3:*", "iam:CreateRole", "arn:aws:iam::1:role/*", 1, True, None]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["AWS", "Bool", "a:b"]), inner),
    max_leaves=4,
)


@given(st.lists(st.dictionaries(elements, values), min_size=1, max_size=3))
def test_what_is_not_refused_can_be_analysed(statements: list[dict[str, Any]]) -> None:
    try:
        document = parse(written(*statements))
    except DocumentError:
        return
    analyse(Subject(identity={"policy": document}, trust=document, resource_policies={"resource": document}))


def test_a_document_of_one_statement_without_a_list_is_a_policy() -> None:
    document = json.loads(json.dumps({"Statement": ALLOW}))
    assert parse(json.dumps({"Statement": ALLOW})) == document


@pytest.mark.parametrize("name", sorted(managed_policies()))
def test_the_policies_of_aws_are_policies(name: str) -> None:
    document = parse(json.dumps(managed_policies()[name].document))
    require_kind(document, Kind.IDENTITY)


@pytest.mark.parametrize(
    ("statement", "kind", "message"),
    [
        (ALLOW, Kind.IDENTITY, None),
        (ALLOW, Kind.TRUST, "Statement[0]: no Principal; allowed: in a trust policy, one"),
        ({**ALLOW, "Principal": "*"}, Kind.RESOURCE, None),
        ({**ALLOW, "Principal": "*"}, Kind.IDENTITY, "Statement[0]: a Principal; allowed: in an identity policy, none"),
        (
            {**ALLOW, "Principal": "*"},
            Kind.TRUST,
            "Statement[0]: a Resource; allowed: in a trust policy, none: it is about its own role",
        ),
        (
            {"Effect": "Allow", "Action": "s3:GetObject"},
            Kind.IDENTITY,
            "Statement[0]: no Resource; allowed: in an identity policy, one",
        ),
        ({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "1" * 12}}, Kind.TRUST, None),
    ],
)
def test_a_document_has_the_elements_of_its_kind(statement: dict[str, Any], kind: Kind, message: str | None) -> None:
    document = parse(written(statement))
    if message is None:
        require_kind(document, kind)
        assert kind_of(document) is kind
    else:
        with pytest.raises(DocumentError) as caught:
            require_kind(document, kind)
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("external_id", "why"),
    [
        ("123456789012", "it is an account number, or little more than one"),
        ("acme-123456789012", "it is an account number, or little more than one"),
        ("o-a1b2c3d4e5", "it is the id of an AWS organization or one of its parts"),
        ("ou-a1b2-c3d4e5f6", "it is the id of an AWS organization or one of its parts"),
        ("20261124000000000000", "it is a number"),
        ("x7Kq2", "it has fewer than 16 characters"),
        ("abababababababababab", "it has fewer than 6 different characters"),
        ("external-id-for-langsmith", "it is made of words and short numbers"),
        ("Acme.Production.2026", "it is made of words and short numbers"),
    ],
)
def test_an_external_id_that_looks_like_something_is_guessable(external_id: str, why: str) -> None:
    assert why_guessable(external_id) == why


def test_random_external_ids_are_not_called_guessable() -> None:
    for _ in range(200):
        for external_id in (secrets.token_hex(24), str(uuid.uuid4()), secrets.token_urlsafe(24)):
            assert why_guessable(external_id) is None, external_id
