from __future__ import annotations

import json

import pytest

from byoc.config import decode, load, secret_keys
from byoc.errors import ByocError, ConfigError
from tests.unit.config_samples import ACCOUNT, DEPLOYMENT, INLINE, SOURCE, changed, problems, refused

SECRET = "hunter2-do-not-show"


def test_everything_that_is_wrong_comes_in_one_message_in_the_documented_order() -> None:
    raw = {
        "kind": "deployment",
        "region": "us-west-2a",
        "accountId": 12345678,
        "name": "Chat",
        "type": "production",
        "image": "a/b:latest",
        "size": {"cpu": 300, "memroy": 1024},
        "databse": {},
    }
    with pytest.raises(ConfigError) as caught:
        load(raw, source=SOURCE)
    assert [problem.key for problem in caught.value.problems] == [
        "byoc:accountId",
        "byoc:region",
        "byoc:image",
        "byoc:size.cpu",
        "byoc:size.memroy",
        "byoc:name",
        "byoc:externalId",
        "byoc:databse",
    ]
    assert str(caught.value).startswith("stacks/Pulumi.sample.yaml: 8 problems; nothing was created\n")


def test_a_message_says_key_value_allowed_and_way_out() -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed(DEPLOYMENT, "size", {"cpu": 2048, "memory": 2048}), source=SOURCE)
    assert str(caught.value) == (
        "stacks/Pulumi.sample.yaml: 1 problem; nothing was created\n"
        "  byoc:size.memory\n"
        "      got:      2048\n"
        "      allowed:  4096 to 16384 MiB in steps of 1024, which Fargate offers with 2048 CPU units\n"
        "      mend it:  write 4096, or choose another cpu"
    )


def test_an_account_id_without_quotes_is_told_to_be_quoted() -> None:
    problem = refused(ACCOUNT, "accountId", 12345678901)
    assert problem.value == "12345678901"
    assert problem.remedy == 'write it in quotes, such as "123456789012", so that YAML keeps every digit'


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("acess", "access"),
        ("name_prefix", "namePrefix"),
        ("NAMEPREFIX", "namePrefix"),
        ("network.cdir", "cidr"),
        ("network.zone", "zones"),
        ("runtime.loadbalancer", "loadBalancer"),
        ("access.principal", "principals"),
    ],
)
def test_a_misspelt_key_is_answered_with_what_was_meant(path: str, meant: str) -> None:
    assert refused(ACCOUNT, path, {}).remedy == f"did you mean {meant}? Otherwise remove it"


def test_an_unknown_key_is_answered_with_those_that_there_are() -> None:
    problem = refused(ACCOUNT, "network.xyz", 1)
    assert problem.value == "an unknown key"
    assert problem.allowed == ("these keys: kind, cidr, zones, nat, s3Endpoint, interfaceEndpoints, subnetPrefixLength")
    assert refused(ACCOUNT, "network.vpcId", 1).remedy == "remove it: it is a key of another kind of network"


@pytest.mark.parametrize("kind", [None, 3, "acount", "", [], "account "])
def test_an_unknown_kind_is_named_together_with_what_is_wrong_in_every_kind(kind: object) -> None:
    found = problems({**ACCOUNT, "kind": kind, "region": "nowhere", "network": {"cidr": 3}})
    assert list(found) == ["byoc:kind", "byoc:region"]
    assert found["byoc:kind"].allowed.startswith("account (")


def test_a_missing_kind_is_named() -> None:
    raw = {key: value for key, value in ACCOUNT.items() if key != "kind"}
    found = problems(raw)
    assert list(found) == ["byoc:kind"]
    assert found["byoc:kind"].value == "nothing"


@pytest.mark.parametrize("key", ["accountId", "region", "name", "type", "image", "externalId", "kind"])
def test_a_missing_key_is_named(key: str) -> None:
    raw = {name: value for name, value in DEPLOYMENT.items() if name != key}
    assert f"byoc:{key}" in problems(raw)


def test_values_are_cut() -> None:
    problem = refused(ACCOUNT, "region", "x" * 5000)
    assert len(problem.value) == 60
    assert problem.value.endswith("…")


ODD_VALUES: tuple[object, ...] = (10**5000, float("nan"), "\ud800", "\x1b[31m", {"a": {"b": 1}}, [[[]]])


@pytest.mark.parametrize("path", ["region", "network.cidr", "tags.owner", "runtime.logRetentionDays"])
def test_odd_values_are_refused_in_printable_words(path: str) -> None:
    for value in ODD_VALUES:
        problem = refused(ACCOUNT, path, value)
        assert problem.value.isprintable()
        problem.render().encode()


def test_secret_keys_are_those_whose_models_hold_secrets() -> None:
    assert secret_keys() == {
        "externalId",
        "previousExternalId",
        "breakGlassExternalId",
        "deploymentSecrets",
        "secretEnvironment",
        "langsmithApiKey",
        "licenseKey",
        "postgresUriCustom",
        "redisUriCustom",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("externalId", f"{SECRET} with space"),
        ("externalId", [SECRET]),
        ("externalId", {SECRET: SECRET}),
        ("langsmithApiKey", f"{SECRET} x"),
        ("langsmithApiKye", SECRET),
        ("licenseKey", {"key": SECRET}),
        ("secretEnvironment", SECRET),
        ("secretEnvironment", {"TOKEN": [SECRET]}),
        ("secretEnvironment", {"PORT": SECRET}),
        ("secretEnvironment", {"TOKEN": f"{SECRET}\0"}),
        ("postgresUriCustom", f"mysql://user:{SECRET}@host/db"),
        ("postgresUriCustom", f"postgresql://user:{SECRET}@/db"),
        ("redisUriCustom", f"http://:{SECRET}@host"),
        ("tracing.endpoint", f"https://user:{SECRET}@langsmith.example.com"),
        ("tracing.langsmithApiKey", SECRET),
        ("environment", SECRET),
        ("environment", {"TOKEN": [SECRET]}),
        ("environment", {"PORT": SECRET}),
        ("database.password", SECRET),
        ("kind", f"{SECRET}{' ' * 40}"),
    ],
)
def test_no_secret_is_in_a_message(path: str, value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed(DEPLOYMENT, path, value), source=SOURCE)
    assert SECRET not in str(caught.value).replace(f"byoc:{path}.{SECRET}", "")
    assert caught.value.__suppress_context__
    assert path.partition(".")[0] in str(caught.value)


def test_secrets_of_inline_deployments_are_in_no_message() -> None:
    raw = {**ACCOUNT, "deployments": {"chat": INLINE}}
    for secrets in (
        SECRET,
        {"chat": SECRET},
        {"chat": {"licenseKey": f"{SECRET} x"}},
        {"chta": {"licenseKey": SECRET}},
    ):
        with pytest.raises(ConfigError) as caught:
            load({**raw, "deploymentSecrets": secrets}, source=SOURCE)
        assert SECRET not in str(caught.value)
        assert "byoc:deploymentSecrets" in str(caught.value)


def test_what_the_user_encrypted_is_shown_nowhere_even_if_it_need_not_be_secret() -> None:
    found = problems(changed(ACCOUNT, "region", SECRET), encrypted={"region", "externalId"})
    assert found["byoc:region"].value == "[secret]"


def test_a_secret_in_plain_text_is_refused() -> None:
    found = problems(DEPLOYMENT, encrypted=set())
    assert list(found) == ["byoc:externalId"]
    assert found["byoc:externalId"].remedy.startswith("pulumi config set --secret byoc:externalId")
    assert load(DEPLOYMENT, source=SOURCE, encrypted={"externalId"})
    assert load(DEPLOYMENT, source=SOURCE, encrypted=None)


def test_an_error_of_the_config_is_one_that_pulumi_prints_without_a_traceback() -> None:
    assert issubclass(ConfigError, ByocError)


def test_texts_of_pulumi_become_values_by_the_type_of_their_key() -> None:
    values = {
        "kind": "deployment",
        "accountId": "012345678901",
        "name": "123",
        "licenseKey": "12345",
        "shutdownGraceSeconds": "90",
        "size": '{"cpu":1024}',
        "secretEnvironment": json.dumps({"TOKEN": "x"}),
        "runtime": "{",
        "unknown": "5",
    }
    assert decode(values) == {
        "kind": "deployment",
        "accountId": "012345678901",
        "name": "123",
        "licenseKey": "12345",
        "shutdownGraceSeconds": 90,
        "size": {"cpu": 1024},
        "secretEnvironment": {"TOKEN": "x"},
        "runtime": "{",
        "unknown": 5,
    }


def test_what_should_be_json_and_is_not_is_refused_by_its_key() -> None:
    values = {**DEPLOYMENT, "size": "{", "tags": "", "secretEnvironment": f"{{{SECRET}"}
    found = problems(decode(values))
    assert list(found) == ["byoc:tags", "byoc:size", "byoc:secretEnvironment"]
    assert found["byoc:secretEnvironment"].value == "[secret]"
    assert decode({"size": "[" * 100_000, "tags": "9" * 5000}).keys() == {"size", "tags"}
