"""Production's templates, broken: sections 2.1, 2.2, 2.3 and 3.1."""

import dataclasses
import json
import shutil

import pytest

from headshotly.policy import configuration
from headshotly.proof.findings import Outcome
from headshotly.proof.infrastructure import folder_of
from headshotly.proof.scene import Scene

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def infra(tmp_path):
    """A copy of the infrastructure to break."""
    copy = tmp_path / "infra"
    for name in ("headshotly_infra", "suricata", "templates"):
        shutil.copytree(
            folder_of(configuration.current()) / name, copy / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    return copy


@pytest.fixture
def change(infra, watch):
    """Point the check at the copy, and change one resource in it."""
    here = dataclasses.replace(configuration.current(), options={"infra.folder": str(infra)})
    watch.scene = Scene(find_service=watch.scene.find_service, here=here)
    watch.is_content()

    def put(stack: str, kind: str, alter, holding: str = "") -> str:
        path = infra / "templates" / f"{stack}.json"
        template = json.loads(path.read_text())
        name = next(name for name, one in template.items() if one["Type"] == kind and holding in json.dumps(one))
        alter(template[name])
        path.write_text(json.dumps(template))
        return f"{stack}/{name}"

    return put


@pytest.mark.sabotage("hosted_on_aws", "a part of production is moved to another provider")
def test_another_provider(watch, change) -> None:
    watch.is_broken(change("Data", "AWS::S3::Bucket", lambda one: one.update(Type="Elsewhere::Cloud::Bucket")))


@pytest.mark.sabotage("hosted_on_aws", "production keeps its pictures in a folder")
def test_production_on_a_disk(watch) -> None:
    here = dataclasses.replace(configuration.current(), environment="production")
    watch.scene = Scene(find_service=watch.scene.find_service, here=here)
    watch.is_broken("object store = folder")


@pytest.mark.sabotage("templates_in_union", "a copy is sent to a region in the United States")
def test_a_region_in_the_states(watch, change) -> None:
    name = change("Copies", "AWS::S3::Bucket", lambda one: one["Properties"].update(BucketName="copies-us-east-1"))
    watch.is_broken(f"{name} in us-east-1")


@pytest.mark.sabotage("templates_in_union", "the policy that denies other regions is lifted")
def test_no_guard_rail(watch, change) -> None:
    change("GuardRails", "AWS::Organizations::Policy", lambda one: one["Properties"].update(Content={}))
    watch.is_broken("no policy denies other regions")


@pytest.mark.sabotage("stores_are_private", "a database gets a public address")
def test_a_public_database(watch, change) -> None:
    watch.is_broken(
        change("Data", "AWS::RDS::DBInstance", lambda one: one["Properties"].update(PubliclyAccessible=True))
    )


@pytest.mark.sabotage("stores_are_private", "a bucket is opened to everybody")
def test_an_open_bucket(watch, change) -> None:
    def alter(one) -> None:
        one["Properties"]["PublicAccessBlockConfiguration"]["BlockPublicAcls"] = False

    watch.is_broken(change("Data", "AWS::S3::Bucket", alter))


@pytest.mark.sabotage("stores_are_private", "everybody on this machine can read the data folder")
def test_an_open_folder(watch) -> None:
    folder = configuration.current().data_folder
    mode = folder.stat().st_mode
    folder.chmod(0o755)
    try:
        watch.is_broken("data folder with mode 755")
    finally:
        folder.chmod(mode)


@pytest.mark.sabotage("network_is_watched", "the detector of intruders is switched off")
def test_no_detector(watch, change) -> None:
    change("Watch", "AWS::GuardDuty::Detector", lambda one: one["Properties"].update(Enable=False))
    watch.is_broken("GuardDuty")


@pytest.mark.sabotage("network_is_watched", "the network's firewall lets out what is on no list")
def test_a_firewall_that_drops_nothing(watch, change) -> None:
    def alter(one) -> None:
        one["Properties"]["FirewallPolicy"]["StatefulDefaultActions"] = ["aws:alert_established"]

    watch.is_broken(change("Network", "AWS::NetworkFirewall::FirewallPolicy", alter))


@pytest.mark.sabotage("network_is_watched", "the network's firewall lets every program out like the sender of messages")
def test_a_rule_that_lets_everybody_out(watch, change) -> None:
    def alter(one) -> None:
        said = one["Properties"]["RuleGroup"]["RulesSource"]
        said.update(RulesString=said["RulesString"].replace("pass tls $SENDERS any", "pass tls any any"))

    change("Network", "AWS::NetworkFirewall::RuleGroup", alter, holding="pass tls")
    watch.is_broken("a rule less that lets out what is on no list")


@pytest.mark.sabotage("network_is_watched", "nobody writes down what the network's firewall told")
def test_a_firewall_without_a_log(watch, change, infra) -> None:
    kind = "AWS::NetworkFirewall::LoggingConfiguration"
    for _ in range(2):
        change("Watch", kind, lambda one: one.update(Type="AWS::NetworkFirewall::Nothing"))
    watch.is_broken("a log of what the network firewall told")


@pytest.mark.sabotage("network_is_watched", "our rules against intruders become remarks")
def test_rules_that_are_remarks(watch, change) -> None:
    def alter(one) -> None:
        said = one["Properties"]["RuleGroup"]["RulesSource"]
        said.update(RulesString=said["RulesString"].replace("alert ", "# alert, or drop: "))

    change("Network", "AWS::NetworkFirewall::RuleGroup", alter, holding="sid:9100001")
    watch.is_broken("our rules against intruders")


@pytest.mark.sabotage("edge_speaks_new_tls", "the load balancer takes a policy that allows TLS 1.0")
def test_an_old_policy(watch, change) -> None:
    def alter(one) -> None:
        one["Properties"].update(Protocol="HTTPS", SslPolicy="ELBSecurityPolicy-2016-08")

    watch.is_broken(change("Service", "AWS::ElasticLoadBalancingV2::Listener", alter))


@pytest.mark.clause("2.3.a")
@pytest.mark.sabotage("stores_are_private", "the infrastructure changes and its templates are not made anew")
def test_templates_of_other_code_prove_nothing(watch, change, infra) -> None:
    (infra / "headshotly_infra" / "data.py").write_text("# everything is public now\n")
    found = watch.look()
    assert found.outcome is Outcome.UNKNOWN
    assert "other code" in found.sentence
