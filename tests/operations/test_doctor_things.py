"""Databases, images, certificates, service-linked roles, and the report: facts to answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from byoc.errors import ByocError
from byoc.operations.answers import AbsentError, DeniedError, NoAnswerError
from byoc.operations.doctor.asking import Absent, NoAnswer, known, tags_of
from byoc.operations.doctor.certificate import Certificate, judge_certificate, read_certificate
from byoc.operations.doctor.checks import Area, Check, Verdict, failed, passed, unknown
from byoc.operations.doctor.database import Offer, Offers, Wanted, judge_offers, read_offers
from byoc.operations.doctor.image import Image, judge_image, platforms_of, read_image, repository_of
from byoc.operations.doctor.linked_roles import judge_linked_roles
from byoc.operations.doctor.report import Report, exit_code, in_order, markdown
from byoc.types import AwsAccount
from tests.operations.fake_account import FakeAccount

ACCOUNT = AwsAccount(account_id="123456789012", region="us-west-2")
DENIED = NoAnswer(why="x:Ask: denied by the permissions boundary", remedy="allow x:Ask to who asks, then repeat")
NOW = datetime(2026, 3, 1, tzinfo=UTC)


# Questions


def test_an_answer_absence_and_silence_are_told_apart() -> None:
    def raising(error: Exception) -> None:
        raise error

    assert known(lambda: 7) == 7
    assert known(lambda: raising(AbsentError("gone"))) == Absent()
    who = "User: arn:aws:sts::123456789012:assumed-role/LangGraphCloudBYOCRole/byoc"
    denied = DeniedError("ecr:DescribeImages", f"{who} is not authorized because no identity-based policy allows it")
    assert known(lambda: raising(denied)) == NoAnswer(
        why="ecr:DescribeImages: denied by the policies of the role: no statement allows it",
        remedy="allow ecr:DescribeImages to who asks, then repeat",
    )
    busy = NoAnswerError("ecr:DescribeImages", "AWS is too busy", "repeat it later")
    assert known(lambda: raising(busy)) == NoAnswer(why="ecr:DescribeImages: AWS is too busy", remedy="repeat it later")
    assert known(lambda: raising(ByocError("odd: X: y\nmore"))) == NoAnswer(why="odd: X: y")


def test_tags_are_read_in_every_spelling_of_aws() -> None:
    assert tags_of({"Tags": [{"Key": "a", "Value": "1"}]}) == {"a": "1"}
    assert tags_of({"tags": [{"key": "a", "value": "1"}]}, "tags") == {"a": "1"}
    assert tags_of({}) == {}


# Databases

WANTED = Wanted(instance_class="db.t4g.micro", version="16", multi_zone=False)
ZONES = frozenset({"us-west-2a", "us-west-2b"})


def _offer(*zones: str, version: str = "16.8", multi: bool = True) -> Offer:
    return Offer(version=version, zones=frozenset(f"us-west-2{zone}" for zone in zones), multi_zone=multi)


@pytest.mark.parametrize(
    ("versions", "verdict", "evidence"),
    [
        (("16.4", "16.10"), "pass", "PostgreSQL 16: RDS offers 16.10"),
        ((), "fail", "RDS offers no PostgreSQL 16 in this region"),
        (DENIED, "unknown", DENIED.why),
    ],
)
def test_the_engine_version_must_be_offered(versions: tuple[str, ...] | NoAnswer, verdict: str, evidence: str) -> None:
    check, _ = judge_offers("chat", WANTED, Offers(versions=versions, options=()), ZONES)
    assert (check.name, check.verdict.value, check.evidence) == ("engine version of chat", verdict, evidence)


@pytest.mark.parametrize(
    ("options", "multi", "zones", "verdict", "evidence"),
    [
        ((_offer("a", "b"),), False, ZONES, "pass", "is offered in us-west-2a, us-west-2b"),
        ((_offer("a"),), False, ZONES, "pass", "is offered in us-west-2a"),
        (
            (_offer("a"),),
            True,
            ZONES,
            "fail",
            "is offered in us-west-2a; the private subnets are in us-west-2a, us-west-2b, and 2 in common are needed",
        ),
        ((_offer("c", "d"),), False, ZONES, "fail", "and 1 in common are needed"),
        ((_offer("a", "b", multi=False),), True, ZONES, "fail", "as Multi-AZ in this region"),
        ((), False, ZONES, "fail", "RDS does not offer db.t4g.micro with PostgreSQL 16 on gp3 in this region"),
        ((_offer("a"), _offer("c", version="16.10")), False, ZONES, "fail", "is offered in us-west-2c"),
        ((_offer("a"),), False, frozenset(), "unknown", "the zones of the private subnets are not known"),
        (DENIED, False, ZONES, "unknown", DENIED.why),
    ],
)
def test_the_class_must_be_offered_in_the_zones_of_the_private_subnets(
    options: tuple[Offer, ...] | NoAnswer, multi: bool, zones: frozenset[str], verdict: str, evidence: str
) -> None:
    wanted = Wanted(instance_class="db.t4g.micro", version="16", multi_zone=multi)
    _, check = judge_offers("chat", wanted, Offers(versions=("16.8",), options=options), zones)
    assert check.verdict.value == verdict
    assert evidence in check.evidence


def test_offers_of_another_kind_of_storage_are_none_of_ours() -> None:
    def offer(storage: str, *zones: str) -> dict[str, object]:
        return {
            "EngineVersion": "16.8",
            "StorageType": storage,
            "MultiAZCapable": True,
            "AvailabilityZones": [{"Name": zone} for zone in zones],
        }

    options = [offer("io1", "us-west-2a", "us-west-2b"), offer("gp3", "us-west-2c")]
    account = FakeAccount(
        {
            "rds:DescribeDBEngineVersions": {"DBEngineVersions": [{"EngineVersion": "16.8"}]},
            "rds:DescribeOrderableDBInstanceOptions": {"OrderableDBInstanceOptions": options},
        }
    )
    assert read_offers(account, WANTED).options == (_offer("c"),)


# Images

TAGGED = "123456789012.dkr.ecr.us-west-2.amazonaws.com/agents/chat:1.0.0"
DIGEST = f"sha256:{'0a' * 32}"


def test_images_of_ecr_are_taken_apart() -> None:
    where = repository_of(TAGGED)
    assert where is not None
    assert (where.account_id, where.region, where.name) == ("123456789012", "us-west-2", "agents/chat")
    assert where.reference == {"imageTag": "1.0.0"}
    pinned = repository_of(f"{TAGGED}@{DIGEST}")
    assert pinned is not None
    assert (pinned.name, pinned.reference) == ("agents/chat", {"imageDigest": DIGEST})
    china = repository_of("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/chat:1")
    assert china is not None
    assert (china.region, china.name) == ("cn-north-1", "chat")
    assert repository_of("docker.io/acme/chat:1.0.0") is None


def _image(image: str, found: Image | Absent | NoAnswer | None) -> list[tuple[str, str]]:
    checks = judge_image("chat", image, repository_of(image), found, ACCOUNT)
    return [(check.verdict.value, check.evidence) for check in checks]


def test_an_image_for_linux_amd64_in_the_accounts_registry_passes() -> None:
    assert _image(TAGGED, Image(platforms=("linux/amd64", "linux/arm64"))) == [
        ("pass", "123456789012.dkr.ecr.us-west-2.amazonaws.com"),
        ("pass", "agents/chat has 1.0.0"),
        ("pass", "linux/amd64, linux/arm64"),
    ]


def test_an_image_for_another_platform_fails() -> None:
    *_, platform = judge_image("chat", TAGGED, repository_of(TAGGED), Image(platforms=("linux/arm64",)), ACCOUNT)
    assert platform == failed(
        Area.IMAGE,
        "platform of chat",
        "the image is for linux/arm64",
        "build it for linux/amd64: langgraph build --platform linux/amd64",
    )


def test_an_image_that_is_not_there_fails_and_its_platform_is_unknown() -> None:
    _, image, platform = _image(TAGGED, Absent())
    assert image == ("fail", "there is no image 1.0.0 in repository agents/chat")
    assert platform == ("unknown", "the image could not be looked at")


def test_an_image_that_cannot_be_asked_about_is_unknown() -> None:
    assert _image(TAGGED, DENIED)[1:] == [("unknown", DENIED.why), ("unknown", "the image could not be looked at")]
    assert _image(TAGGED, Image(platforms=DENIED))[2] == ("unknown", DENIED.why)


def test_other_registries_are_told_apart() -> None:
    assert _image("docker.io/acme/chat:1.0.0", None)[0] == (
        "unknown",
        "docker.io is no registry of ECR: whether tasks may pull cannot be asked",
    )
    assert _image(TAGGED.replace("123456789012", "999999999999"), DENIED)[0] == (
        "unknown",
        "the registry is of account 999999999999: its repository policy decides who pulls",
    )
    assert _image(TAGGED.replace("us-west-2", "us-east-1"), DENIED)[0] == (
        "unknown",
        "the registry is in us-east-1: containers in us-west-2 pull from it over the internet, and through no endpoint",
    )


def test_an_archived_image_is_there_and_cannot_be_pulled() -> None:
    archived = Image(platforms=("linux/amd64",), status="ARCHIVED")
    assert _image(TAGGED, archived)[1] == (
        "fail",
        "agents/chat has 1.0.0, and its state is ARCHIVED: it cannot be pulled",
    )
    details = {"imageStatus": "ARCHIVED", "imageDigest": DIGEST}
    manifest = json.dumps({"manifests": [{"platform": {"os": "linux", "architecture": "amd64"}}]})
    account = FakeAccount(
        {
            "ecr:DescribeImages": {"imageDetails": [details]},
            "ecr:BatchGetImage": {"images": [{"imageManifest": manifest}]},
        }
    )
    where = repository_of(TAGGED)
    assert where is not None
    assert read_image(account, where) == archived


def test_platforms_come_of_an_index_without_its_attestations() -> None:
    listed: list[dict[str, object]] = [
        {"platform": {"os": "linux", "architecture": "amd64"}},
        {"platform": {"os": "unknown", "architecture": "unknown"}},
    ]
    assert platforms_of({"manifests": listed}) == ("linux/amd64",)
    assert platforms_of({"manifests": [*listed, {"digest": "x"}]}) == ("linux/amd64",)
    assert platforms_of({"config": {"digest": DIGEST}}) is None


def test_an_index_need_not_say_its_platforms() -> None:
    silent = NoAnswer(why="the image's index does not say for which platforms its images are")
    assert (
        platforms_of({"manifests": [{"digest": "x"}, {"platform": {"os": "linux", "architecture": "arm64"}}]}) == silent
    )
    assert platforms_of({"manifests": [{"digest": "x"}]}) == silent


# Certificates


@pytest.mark.parametrize(
    ("found", "verdict", "evidence"),
    [
        (Certificate(status="ISSUED", domains=("a.example",), ends=None), "pass", "a.example: issued"),
        (
            Certificate(status="ISSUED", domains=("a.example", "b.example"), ends=NOW + timedelta(days=90)),
            "pass",
            "a.example, b.example: issued, until 2026-05-30",
        ),
        (
            Certificate(status="ISSUED", domains=("a.example",), ends=NOW + timedelta(days=13)),
            "fail",
            "a.example: issued, ends on 2026-03-14",
        ),
        (
            Certificate(status="ISSUED", domains=("a.example",), ends=NOW + timedelta(days=13), renews=True),
            "pass",
            "a.example: issued, until 2026-03-14",
        ),
        (
            Certificate(status="ISSUED", domains=("a.example",), ends=NOW, renews=True),
            "fail",
            "a.example: issued, ended on 2026-03-01",
        ),
        (
            Certificate(status="PENDING_VALIDATION", domains=("a.example",), ends=None),
            "fail",
            "a.example: its state is PENDING_VALIDATION",
        ),
        (Absent(), "fail", "there is no arn:x in us-west-2"),
        (DENIED, "unknown", DENIED.why),
    ],
)
def test_a_certificate_is_issued_and_lasts(found: Certificate | Absent | NoAnswer, verdict: str, evidence: str) -> None:
    check = judge_certificate("chat", "arn:x", found, "us-west-2", NOW)
    assert (check.verdict.value, check.evidence) == (verdict, evidence)


@pytest.mark.parametrize(
    ("renewal", "renews"),
    [
        (None, True),
        ({"RenewalStatus": "PENDING_AUTO_RENEWAL"}, True),
        ({"RenewalStatus": "SUCCESS"}, True),
        ({"RenewalStatus": "PENDING_VALIDATION"}, False),
        ({"RenewalStatus": "FAILED", "RenewalStatusReason": "CAA_ERROR"}, False),
    ],
)
def test_a_renewal_that_waits_for_a_person_does_not_come_by_itself(renewal: object, renews: bool) -> None:
    item = {"Status": "ISSUED", "DomainName": "a.example", "Type": "AMAZON_ISSUED", "RenewalSummary": renewal}
    found = read_certificate(FakeAccount({"acm:DescribeCertificate": {"Certificate": item}}), "arn:aws:acm:r:1:x")
    assert isinstance(found, Certificate)
    assert found.renews is renews


@pytest.mark.parametrize(
    ("status", "way_out"),
    [
        ("PENDING_VALIDATION", "finish its validation"),
        ("EXPIRED", "request or import another certificate"),
        ("REVOKED", "request or import another certificate"),
        ("VALIDATION_TIMED_OUT", "request or import another certificate"),
    ],
)
def test_what_cannot_be_validated_any_more_is_not_told_to_be(status: str, way_out: str) -> None:
    check = judge_certificate(
        "chat", "arn:x", Certificate(status=status, domains=("a.example",), ends=None), "us-west-2", NOW
    )
    assert check.verdict is Verdict.FAIL
    assert check.remedy.startswith(way_out)


# Service-linked roles


@pytest.mark.parametrize(
    ("there", "made", "verdict", "evidence"),
    [
        (True, False, "pass", "is there"),
        (False, True, "pass", "is not there: up makes it (byoc:serviceLinkedRoles)"),
        (False, False, "fail", "is not there; AWS makes it at the first use, which can fail that use"),
        (DENIED, True, "unknown", DENIED.why),
    ],
)
def test_service_linked_roles_are_there_or_made(
    there: bool | NoAnswer, made: bool, verdict: str, evidence: str
) -> None:
    name = "AWSServiceRoleForECS"
    (check,) = judge_linked_roles({name: there}, {name: "ecs.amazonaws.com"}, made=made)
    assert (check.verdict.value, check.evidence) == (verdict, evidence)


# The report

PASS = passed(Area.IDENTITY, "credentials", "arn | of `ada`")
FAIL = failed(Area.QUOTAS, "VPCs", "needs 1; 5 in use of 5", "ask for 6")
UNKNOWN = unknown(Area.EGRESS, "host:443", "cannot be tried", "try it")


def _report(*checks: Check) -> Report:
    return Report(stack="demo", account_id="123456789012", region="us-west-2", checks=in_order(checks))


@pytest.mark.parametrize(
    ("checks", "code"),
    [((PASS,), 0), ((PASS, UNKNOWN), 3), ((UNKNOWN, FAIL, PASS), 1), ((), 0)],
)
def test_the_exit_code_tells_the_worst_answer(checks: tuple[Check, ...], code: int) -> None:
    assert exit_code([_report(*checks)]) == code
    assert exit_code([_report(PASS), _report(*checks)]) == code


def test_a_report_is_in_the_order_of_its_areas() -> None:
    report = _report(UNKNOWN, FAIL, PASS)
    assert report.checks == (PASS, FAIL, UNKNOWN)
    assert report.counts == "1 pass, 1 fail, 1 unknown"
    assert report.document()["verdict"] == "fail"


def test_markdown_keeps_its_tables_whole() -> None:
    assert markdown([_report(PASS, FAIL)]) == (
        "## demo: fail\n"
        "\n"
        "Account 123456789012, us-west-2: 1 pass, 1 fail, 0 unknown.\n"
        "\n"
        "| area | check | answer | evidence |\n"
        "|---|---|---|---|\n"
        "| identity | credentials | pass | arn \\| of \\`ada\\` |\n"
        "| quotas | VPCs | fail | needs 1; 5 in use of 5 |\n"
        "\n"
        "What to do:\n"
        "\n"
        "- quotas, VPCs: ask for 6"
    )
