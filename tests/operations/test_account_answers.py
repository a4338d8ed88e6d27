"""Answers that are none of AWS's, or half of one: never taken for "nothing is there". And what a session is made of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from botocore.exceptions import ClientError

from byoc import aws_models
from byoc.errors import ByocError
from byoc.operations.account import Account, AssumedRole, FewOpen
from byoc.operations.answers import AskingError, CredentialsError, NoAnswerError, told
from byoc.operations.many import each
from byoc.operations.targets import OPEN_ACCOUNTS, Accounts
from byoc.types import AwsAccount
from tests.operations.fake_account import FakeAccount
from tests.operations.loopback import QuietServer, serving

HERE = AwsAccount(account_id="123456789012", region="us-west-2")
LISTS = [
    ("ecs:ListTasks", "taskArns"),
    ("tag:GetResources", "ResourceTagMappingList"),
    ("secretsmanager:ListSecrets", "SecretList"),
    ("rds:DescribeDBInstances", "DBInstances"),
    ("elasticloadbalancing:DescribeLoadBalancers", "LoadBalancers"),
    ("ec2:DescribeVpcs", "Vpcs"),
]
"""Of each protocol some."""
LOGIN = "<html><body>Sign in to the network</body></html>"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, quick_retries: None) -> None:
    """Credentials that nobody looks at."""
    for name in ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "made-up")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")


@contextmanager
def answering(patch: pytest.MonkeyPatch, answer: Callable[[bytes], tuple[int, str]]) -> Iterator[Account]:
    """An account behind an endpoint that answers so, by the body of the question."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, text = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = QuietServer(("127.0.0.1", 0), Handler)
    with serving(server):
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield Account(HERE)


@pytest.mark.parametrize(("action", "key"), LISTS)
@pytest.mark.parametrize("text", [LOGIN, "{", '{"taskArns": ["arn:aws:ecs'], ids=["login page", "one sign", "cut off"])
def test_what_is_no_answer_of_aws_is_none_and_not_an_empty_list(
    monkeypatch: pytest.MonkeyPatch, action: str, key: str, text: str
) -> None:
    with answering(monkeypatch, lambda _: (200, text)) as account:
        with pytest.raises(NoAnswerError, match="AWS's answer broke off, or is none of its own"):
            list(account.all(action, key))
        with pytest.raises(NoAnswerError, match="AWS's answer broke off, or is none of its own"):
            account.ask(action)


@pytest.mark.parametrize(
    ("action", "key", "text"),
    [
        ("ecs:ListTasks", "taskArns", "{}"),
        ("ecs:ListTasks", "taskArns", ""),
        ("ecs:ListTasks", "taskArns", '{"taskArns": null}'),
        ("rds:DescribeDBInstances", "DBInstances", "<R><DescribeDBInstancesResult/></R>"),
        ("ec2:DescribeVpcs", "Vpcs", "<DescribeVpcsResponse/>"),
    ],
)
def test_half_an_answer_is_none_and_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch, action: str, key: str, text: str
) -> None:
    with (
        answering(monkeypatch, lambda _: (200, text)) as account,
        pytest.raises(NoAnswerError, match=f"{action}: half an answer: it lacks {key}"),
    ):
        list(account.all(action, key))


@pytest.mark.parametrize(
    ("action", "key", "text"),
    [
        ("ecs:ListTasks", "taskArns", '{"taskArns": []}'),
        (
            "rds:DescribeDBInstances",
            "DBInstances",
            "<R><DescribeDBInstancesResult><DBInstances/></DescribeDBInstancesResult></R>",
        ),
        ("ec2:DescribeVpcs", "Vpcs", "<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>"),
    ],
)
def test_an_empty_list_of_aws_is_one(monkeypatch: pytest.MonkeyPatch, action: str, key: str, text: str) -> None:
    with answering(monkeypatch, lambda _: (200, text)) as account:
        assert list(account.all(action, key)) == []


def test_a_second_page_that_is_half_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    first = '{"taskArns": ["arn:1"], "nextToken": "2"}'
    with answering(monkeypatch, lambda asked: (200, "{}" if b"nextToken" in asked else first)) as account:
        found = account.all("ecs:ListTasks", "taskArns")
        assert next(found) == "arn:1"
        with pytest.raises(NoAnswerError, match="it lacks taskArns"):
            next(found)


def test_all_pages_are_read_where_botocore_knows_of_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def page(asked: bytes) -> tuple[int, str]:
        number = int(json.loads(asked).get("NextToken", "0"))
        more = {"NextToken": str(number + 1)} if number < 2 else {}
        return 200, json.dumps({"Versions": [{"VersionId": f"v{number}"}], **more})

    with answering(monkeypatch, page) as account:
        found = list(account.all("secretsmanager:ListSecretVersionIds", "Versions", SecretId="chat"))
    assert [item["VersionId"] for item in found] == ["v0", "v1", "v2"]


@pytest.mark.parametrize(("action", "key"), LISTS)
def test_an_error_that_is_none_of_aws_s_is_told_by_its_number(
    monkeypatch: pytest.MonkeyPatch, action: str, key: str
) -> None:
    with (
        answering(monkeypatch, lambda _: (404, LOGIN)) as account,
        pytest.raises(NoAnswerError, match=f"^{action}: an answer that is none of AWS's own: HTTP 404\n"),
    ):
        list(account.all(action, key))


def test_who_is_asking_is_not_guessed_from_half_an_answer() -> None:
    account = FakeAccount({"sts:GetCallerIdentity": {}})
    with pytest.raises(NoAnswerError, match="half an answer: it names no account"):
        account.require_right_account()


@pytest.mark.parametrize("role", [None, AssumedRole(role_arn="arn:aws:iam::123456789012:role/r", external_id="secret")])
def test_an_endpoint_that_is_no_url_is_said_to_be_none(
    monkeypatch: pytest.MonkeyPatch, role: AssumedRole | None
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:4566")
    with pytest.raises(AskingError, match=r"Invalid endpoint: localhost:4566\n.*AWS_ENDPOINT_URL") as caught:
        Account(HERE, role=role).require_right_account()
    assert not isinstance(caught.value, NoAnswerError)


@pytest.mark.parametrize(
    ("config", "profile", "words"),
    [
        (
            "[profile p]\ncredential_process = /bin/false\n",
            "p",
            "Error when retrieving credentials from custom-process",
        ),
        ("[profile p]\nrole_arn = arn:x\nsource_profile = gone\n", "p", 'The source_profile "gone"'),
        ("[profile p\n", "p", "Unable to parse config file"),
        ("", "nobody", "The config profile .nobody. could not be found"),
    ],
)
@pytest.mark.parametrize("role", [None, AssumedRole(role_arn="arn:aws:iam::123456789012:role/r", external_id="secret")])
def test_a_profile_that_does_not_work_is_told_and_not_taken_for_an_aws_that_is_away(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, config: str, profile: str, words: str, role: AssumedRole | None
) -> None:
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(AskingError, match=words) as caught:
        Account(HERE, role=role, profile=profile).require_right_account()
    assert not isinstance(caught.value, NoAnswerError)


def test_a_question_that_aws_would_not_take_is_not_taken_for_silence() -> None:
    with pytest.raises(ByocError, match="valid min value: 0") as caught:
        list(Account(HERE).all("logs:FilterLogEvents", "events", logGroupName="g", startTime=-1))
    assert not isinstance(caught.value, AskingError)


@pytest.mark.parametrize(
    "code",
    [
        "AuthFailure",  # Amazon EC2
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidSignatureException",  # JSON services, and a clock that goes wrong
        "MissingAuthenticationToken",
        "RequestExpired",  # Amazon EC2
        "UnrecognizedClientException",
    ],
)
def test_credentials_that_are_not_taken_are_known_by_every_service_s_word_for_it(code: str) -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "DescribeVpcs")

    with pytest.raises(CredentialsError, match=f"AWS does not take the credentials: {code}"):
        told("ec2:DescribeVpcs", refuse)


ROLE = AssumedRole(role_arn="arn:aws:iam::123456789012:role/r", external_id="7f3c9a51", session_name="watcher")


def letting_in(asked: list[bytes], minutes: int) -> Callable[[bytes], tuple[int, str]]:
    """Answers of STS, whose sessions last so long, and of an ECS without tasks; ``asked``: every question to STS."""

    def answer(question: bytes) -> tuple[int, str]:
        if b"Action=AssumeRole" not in question:
            return 200, '{"taskArns": []}'
        asked.append(question)
        end = (datetime.now(UTC) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")
        keys = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>B</SecretAccessKey><SessionToken>C</SessionToken>"
        credentials = f"<Credentials>{keys}<Expiration>{end}</Expiration></Credentials>"
        return 200, f"<AssumeRoleResponse><AssumeRoleResult>{credentials}</AssumeRoleResult></AssumeRoleResponse>"

    return answer


@pytest.mark.parametrize(("minutes", "assumed"), [(60, 1), (5, 3)])
def test_a_role_is_assumed_again_before_its_session_ends_and_not_before_that(
    monkeypatch: pytest.MonkeyPatch, minutes: int, assumed: int
) -> None:
    asked: list[bytes] = []
    with answering(monkeypatch, letting_in(asked, minutes)):
        account = Account(HERE, role=ROLE)
        for _ in range(3):
            account.ask("ecs:ListTasks")
    assert len(asked) == assumed
    assert b"ExternalId=7f3c9a51" in asked[0]
    assert b"RoleSessionName=watcher" in asked[0]
    assert b"DurationSeconds" not in asked[0]  # an hour, which is the most that a chained role may have


def test_of_many_accounts_few_hold_connections_and_no_role_is_assumed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []
    few = FewOpen(2)
    first, second, third = (Account(HERE, role=ROLE, among=few) for _ in range(3))
    with answering(monkeypatch, letting_in(asked, 60)):
        for account in (first, second, first, third):
            account.ask("ecs:ListTasks")
        assert [bool(account._clients) for account in (first, second, third)] == [True, False, True]
        assert [account._session is None for account in (first, second, third)] == [False, True, False]
        assert second.is_open
        assert len(asked) == 3
        for account in (second, first, third) * 3:
            account.ask("ecs:ListTasks")
    assert len(asked) == 3


def test_accounts_let_go_of_what_is_beyond_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(monkeypatch, letting_in([], 60)):
        accounts = Accounts()
        places = [AwsAccount(account_id=f"{number:012d}", region="us-west-2") for number in range(OPEN_ACCOUNTS + 9)]
        made = [accounts.through(place, ROLE) for place in places]
        for account in made:
            account.client("ecs")
    assert [bool(account._clients) for account in made] == [False] * 9 + [True] * OPEN_ACCOUNTS


def test_what_botocore_knows_of_the_services_is_held_once_for_all_accounts() -> None:
    aws_models._loader.cache_clear()
    accounts = [Account(AwsAccount(account_id=f"{number:012d}", region="us-west-2"), role=ROLE) for number in range(16)]
    clients = list(each([Account(HERE), *accounts], lambda account: account.client("rds")))
    assert len({id(client.meta.service_model._service_description) for client in clients}) == 1
