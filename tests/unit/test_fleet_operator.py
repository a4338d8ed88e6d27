"""``byoc fleet export --format operator``: the objects for the Pulumi Kubernetes Operator."""

from __future__ import annotations

from typing import Any

import yaml

from byoc.fleet.yaml_text import WRITTEN_BY
from tests.unit.fleet_projects import ENCRYPTED, FleetProject, fleet

__all__ = ["fleet"]

DEPLOYMENT = """\
apiVersion: pulumi.com/v1
kind: Stack
metadata:
  name: acme-0
  namespace: byoc-fleet
  labels:
    app.kubernetes.io/part-of: byoc-fleet
    app.kubernetes.io/managed-by: byoc
    byoc/kind: deployment
    byoc/account: "111111111111"
    byoc/region: us-west-2
spec:
  stack: acme/byoc/acme-0
  projectRepo: https://github.com/acme/fleet
  branch: main
  repoDir: "."
  shallow: true
  useLocalStackOnly: true
  envRefs:
    AWS_MAX_ATTEMPTS:
      type: Literal
      literal:
        value: "10"
    PULUMI_ACCESS_TOKEN:
      type: Secret
      secret:
        name: byoc-environment
        key: PULUMI_ACCESS_TOKEN
    PULUMI_CONFIG_PASSPHRASE:
      type: Secret
      secret:
        name: byoc-environment
        key: PULUMI_CONFIG_PASSPHRASE
  prerequisites:
    - name: acme
  refresh: false
  resyncFrequencySeconds: 3600
  serviceAccountName: byoc-deployment
  workspaceReclaimPolicy: Delete
  workspaceTemplate:
    spec:
      image: pulumi/pulumi:3.259.0-nonroot
      securityProfile: restricted
      resources:
        requests:
          memory: "2Gi"
        limits:
          memory: "2Gi"
"""


def spec(fleet: FleetProject, stack: str) -> dict[str, Any]:
    [found] = fleet.documents("operator", f"{stack}.yaml")
    result: dict[str, Any] = found["spec"]
    return result


def test_a_deployment_becomes_exactly_this_object(fleet: FleetProject) -> None:
    fleet.exported("operator")
    assert fleet.texts("operator")["acme-0.yaml"] == WRITTEN_BY + DEPLOYMENT


def test_the_account_stack_is_the_prerequisite_of_the_deployments_of_its_own_install_alone(fleet: FleetProject) -> None:
    fleet.customer("other", "222222222222", 1)
    fleet.customer("acme-eu", "111111111111", 1, region="eu-west-1")
    fleet.stack("acme-team", "account", "111111111111", namePrefix="team")
    fleet.exported("operator")
    assert spec(fleet, "acme-1")["prerequisites"] == [{"name": "acme"}]
    assert spec(fleet, "other-0")["prerequisites"] == [{"name": "other"}]
    assert spec(fleet, "acme-eu-0")["prerequisites"] == [{"name": "acme-eu"}]
    for account in ("acme", "other", "acme-eu", "acme-team"):
        assert "prerequisites" not in spec(fleet, account)


def test_a_deployment_without_an_account_stack_waits_for_none_and_is_named(fleet: FleetProject) -> None:
    fleet.stack("alone", "deployment", "333333333333")
    assert fleet.exported("operator")["notes"] == [
        "no account stack in this project, so they wait for none: alone",
    ]
    assert "prerequisites" not in spec(fleet, "alone")


def test_shared_objects_are_a_namespace_a_service_account_for_each_role_and_one_binding(fleet: FleetProject) -> None:
    fleet.customer("other", "222222222222", 0)
    fleet.exported("operator")
    objects = fleet.documents("operator", "00-shared.yaml")
    roles = {
        item["metadata"]["name"]: item["metadata"]["annotations"]["eks.amazonaws.com/role-arn"]
        for item in objects
        if item["kind"] == "ServiceAccount"
    }
    assert roles == {
        "byoc-account-111111111111": "arn:aws:iam::111111111111:role/provisioner",
        "byoc-account-222222222222": "arn:aws:iam::222222222222:role/provisioner",
        "byoc-deployment": "arn:aws:iam::210987654321:role/control-plane",
    }
    assert [item["kind"] for item in objects] == ["Namespace", *["ServiceAccount"] * 3, "ClusterRoleBinding"]
    assert objects[-1]["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "system:auth-delegator",
    }
    assert {subject["name"] for subject in objects[-1]["subjects"]} == roles.keys()


def test_every_stack_runs_under_a_service_account_that_is_among_the_shared_objects(fleet: FleetProject) -> None:
    fleet.customer("other", "222222222222", 1)
    stacks = fleet.exported("operator")["stacks"]
    objects = fleet.documents("operator", "00-shared.yaml")
    there = {item["metadata"]["name"] for item in objects if item["kind"] == "ServiceAccount"}
    assert {spec(fleet, stack)["serviceAccountName"] for stack in stacks} == there


def test_without_roles_all_stacks_share_one_service_account(fleet: FleetProject) -> None:
    fleet.settings(roles=None)
    fleet.exported("operator")
    assert {spec(fleet, stack)["serviceAccountName"] for stack in ("acme", "acme-0")} == {"byoc"}
    [account] = [item for item in fleet.documents("operator", "00-shared.yaml") if item["kind"] == "ServiceAccount"]
    assert "annotations" not in account["metadata"]


def test_a_bucket_takes_the_place_of_the_organization(fleet: FleetProject) -> None:
    bucket = "s3://acme-state?region=us-west-2"
    fleet.settings(organization=None, backend=bucket, secretEnvironment=["PULUMI_CONFIG_PASSPHRASE"])
    fleet.exported("operator")
    assert spec(fleet, "acme")["backend"] == bucket
    assert spec(fleet, "acme")["stack"] == "acme"


def test_a_commit_pins_every_stack_and_a_token_is_a_reference(fleet: FleetProject) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    fleet.settings(
        source={"repository": "git@example.com:acme/fleet.git", "commit": commit, "folder": "infra"},
        operator={"gitToken": {"name": "git", "key": "token"}, "image": "acme/pulumi:1", "memory": "512Mi"},
    )
    fleet.exported("operator")
    found = spec(fleet, "acme")
    assert (found["commit"], found["repoDir"]) == (commit, "infra")
    assert "branch" not in found
    assert found["gitAuth"] == {"accessToken": {"type": "Secret", "secret": {"name": "git", "key": "token"}}}
    workspace = found["workspaceTemplate"]["spec"]
    assert (workspace["image"], workspace["resources"]["limits"]) == ("acme/pulumi:1", {"memory": "512Mi"})


def test_deleting_an_object_never_destroys_a_stack_and_a_misspelt_name_makes_none(fleet: FleetProject) -> None:
    fleet.exported("operator")
    for stack in ("acme", "acme-0", "acme-1"):
        assert "destroyOnFinalize" not in spec(fleet, stack)
        assert spec(fleet, stack)["useLocalStackOnly"] is True


def test_a_stack_name_that_kubernetes_does_not_take_is_respelt_in_file_object_and_prerequisite(
    fleet: FleetProject,
) -> None:
    fleet.stack("Globex_Prod", "account", "444444444444")
    fleet.stack("Globex_Prod.chat", "deployment", "444444444444")
    fleet.exported("operator")
    account, deployment = "globex-prod-b60857e0", "globex-prod-chat-c3fba1d5"
    [found] = fleet.documents("operator", f"{deployment}.yaml")
    assert found["metadata"]["name"] == deployment
    assert found["spec"]["stack"] == "acme/byoc/Globex_Prod.chat"
    assert found["spec"]["prerequisites"] == [{"name": account}]
    assert fleet.documents("operator", f"{account}.yaml")[0]["metadata"]["name"] == account


def test_every_file_is_yaml_that_reads_back_to_itself_and_holds_nothing_of_a_stacks_secrets(
    fleet: FleetProject,
) -> None:
    fleet.exported("operator")
    for text in fleet.texts("operator").values():
        documents = list(yaml.safe_load_all(text))
        assert list(yaml.safe_load_all(yaml.safe_dump_all(documents))) == documents
        assert ENCRYPTED not in text
