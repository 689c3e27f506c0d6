"""What the templates must say, sentence by sentence of the policy."""

import dataclasses
import datetime as dt
import json
import re
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_efs as efs
from aws_cdk import aws_s3 as s3
from headshotly_infra import exceptions, guard_rails
from headshotly_infra.deployment import FLAGS, stacks
from headshotly_infra.keys import OPERATOR, ROOMS
from headshotly_infra.network import METRICS
from headshotly_infra.plan import EU_REGIONS

from tests.conftest import ACCOUNT, PLAN

_REGION = re.compile(
    r"\b(?:us|eu|ap|sa|ca|me|af|il|mx|cn)-(?:gov-)?(?:north|south|east|west|central)(?:east|west)?-\d\b"
)
ANYBODY = {"0.0.0.0/0", "::/0"}


def test_no_region_outside_the_union_is_named_anywhere(templates) -> None:
    """Clauses 2.2.a, 6.1.b."""
    # What AWS CDK adds of its own, a list of where it counts its users, is a condition and no resource.
    found = {region for one in templates.values() for region in _REGION.findall(json.dumps(one["Resources"]))}
    assert found
    assert found <= EU_REGIONS


@pytest.mark.parametrize("field", ["primary", "secondary"])
@pytest.mark.parametrize("region", ["us-east-1", "eu-west-2", "eu-central-2", "ap-south-1", ""])
def test_a_plan_outside_the_union_is_refused(field: str, region: str) -> None:
    with pytest.raises(ValueError, match="European Union"):
        dataclasses.replace(PLAN, **{field: region})


def test_a_plan_with_one_region_an_unpinned_image_or_a_foreign_certificate_is_refused() -> None:
    with pytest.raises(ValueError, match="second region"):
        dataclasses.replace(PLAN, secondary=PLAN.primary)
    with pytest.raises(ValueError, match="digest"):
        dataclasses.replace(PLAN, image="headshotly:latest")
    with pytest.raises(ValueError, match="certificate"):
        dataclasses.replace(PLAN, certificate="arn:aws:acm:us-east-1:123456789012:certificate/x")


def test_the_guard_rails_deny_every_other_region() -> None:
    statement = guard_rails.document()["Statement"][0]
    assert statement["Effect"] == "Deny"
    assert set(statement["Condition"]["StringNotEquals"]["aws:RequestedRegion"]) == EU_REGIONS
    assert len(json.dumps(guard_rails.document())) < 5120, "AWS takes no longer policy"


def test_only_the_load_balancer_is_open_to_everybody(resources) -> None:
    open_ = {
        name
        for name, group in resources("AWS::EC2::SecurityGroup").items()
        for rule in group.get("SecurityGroupIngress", [])
        if rule.get("CidrIp", rule.get("CidrIpv6")) in ANYBODY
    }
    assert {name.split("/")[1][:9] for name in open_} == {"EdgeGroup"}
    for name, rule in resources("AWS::EC2::SecurityGroupIngress").items():
        assert "SourceSecurityGroupId" in rule, name


def test_data_has_no_way_out_and_is_public_to_nobody(resources) -> None:
    routes = resources("AWS::EC2::Route", "Network")
    for name, route in routes.items():
        assert "dataSubnet" not in json.dumps(route), name
    for name, instance in resources("AWS::RDS::DBInstance").items():
        assert instance["PubliclyAccessible"] is False, name
    blocks = {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }
    for name, bucket in resources("AWS::S3::Bucket").items():
        assert bucket["PublicAccessBlockConfiguration"] == blocks, name


def test_tasks_leave_through_the_firewall_and_answers_come_back_through_it(templates) -> None:
    network = templates["Network"]["Resources"]
    through = {
        name: one
        for name, one in network.items()
        if one["Type"] == "AWS::EC2::Route" and "VpcEndpointId" in one["Properties"]
    }
    out = [one for one in through.values() if one["Properties"].get("DestinationCidrBlock") == "0.0.0.0/0"]
    kinds = [re.findall("(tasks|senders)Subnet", json.dumps(one["Properties"]["RouteTableId"])) for one in out]
    assert sorted(kinds) == [["senders"], ["senders"], ["tasks"], ["tasks"]]
    assert len(through) == 8
    for one in network.values():
        if one["Type"] == "AWS::EC2::Route" and re.search("(tasks|senders)Subnet", json.dumps(one["Properties"])):
            assert not {"NatGatewayId", "GatewayId"} & set(one["Properties"])
    groups = [one["Properties"] for one in network.values() if one["Type"] == "AWS::NetworkFirewall::RuleGroup"]
    assert any("sid:9100001" in json.dumps(group) for group in groups)


def test_every_bucket_speaks_tls_alone(resources) -> None:
    """Clause 3.1.a."""
    guarded = {
        json.dumps(policy["Bucket"])
        for policy in resources("AWS::S3::BucketPolicy").values()
        if any(
            one["Effect"] == "Deny" and one.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
            for one in policy["PolicyDocument"]["Statement"]
        )
    }
    assert len(guarded) == len(resources("AWS::S3::Bucket"))


def test_what_is_kept_is_sealed_by_a_key_of_ours(resources) -> None:
    """Clause 3.2.b."""
    for name, bucket in resources("AWS::S3::Bucket").items():
        [rule] = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        kind = rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert kind == ("AES256" if "AccessLogs" in name else "aws:kms"), name
    for name, cluster in resources("AWS::RDS::DBCluster").items():
        assert cluster["StorageEncrypted"] is True, name
        assert cluster["EnableIAMDatabaseAuthentication"] is True, name
        assert cluster["DeletionProtection"] is True, name
        assert cluster["ManageMasterUserPassword"] is True, name
        assert "MasterUserPassword" not in cluster, name
    for name, group in resources("AWS::RDS::DBClusterParameterGroup").items():
        assert group["Parameters"]["rds.force_ssl"] == "1", name
    for name, queue in resources("AWS::SQS::Queue").items():
        assert "KmsMasterKeyId" in queue, name
    for name, group in resources("AWS::Logs::LogGroup").items():
        assert "KmsKeyId" in group, name


def test_objects_keep_no_old_versions_and_witness_and_backups_are_locked(resources) -> None:
    """A deleted photo must be gone; a witnessed head must not be."""
    buckets = {name.split("/")[1]: bucket for name, bucket in resources("AWS::S3::Bucket").items()}
    for name, bucket in buckets.items():
        locked = (
            (name.startswith(("Witness", "Backup", "Copies", "Second")) and "Mirror" not in name)
            and "AccessLogs" not in name
            or name.startswith("Locked")
        )
        assert bucket.get("ObjectLockEnabled", False) is locked, name
        if locked:
            assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]["Mode"] == "COMPLIANCE", name
        if name.startswith("Objects") or "Mirror" in name:
            assert "VersioningConfiguration" not in bucket


def test_keys_change_by_themselves_and_the_account_may_not_use_them(resources) -> None:
    keys = resources("AWS::KMS::Key")
    assert all(key["EnableKeyRotation"] is True for key in keys.values())
    used = [name for name in keys if name.startswith(("Keys/RootKey", "Keys/BackupKey"))]
    assert len(used) == 2
    for name in used:
        for one in keys[name]["KeyPolicy"]["Statement"]:
            acts = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
            if one["Sid"] == "AdministrationWithoutUse":
                assert not {act for act in acts if act in {"kms:*", "kms:Decrypt", "kms:Encrypt", "kms:ReEncrypt*"}}
            elif "kms:Decrypt" in acts:
                assert one["Condition"] == {"Null": {"kms:EncryptionContextKeys": "false"}}


def test_only_the_rooms_that_open_photos_may_unwrap(resources) -> None:
    """Clause 2.4.a: the sequencer and the detector never come near a customer's key."""
    [key] = [key for name, key in resources("AWS::KMS::Key").items() if name.startswith("Keys/RootKey")]
    may = {one["Sid"] for one in key["KeyPolicy"]["Statement"] if "kms:Decrypt" in json.dumps(one["Action"])}
    # The sender opens endpoints' addresses with it; no bucket and no table of photos is open to it.
    assert may == {"WrapWeb", "WrapWorker", "WrapDuties", "WrapOperator", "UnwrapSender"}
    [sender] = [one for one in key["KeyPolicy"]["Statement"] if one["Sid"] == "UnwrapSender"]
    assert sender["Action"] == "kms:Decrypt"
    assert not [act for acts in _acts(resources, "sender").values() for act in acts if act.startswith("s3:")]


def test_tasks_run_as_nobody_on_a_read_only_disk_from_a_pinned_image(resources) -> None:
    found = resources("AWS::ECS::TaskDefinition")
    assert len(found) == 8
    for name, task in found.items():
        for container in task["ContainerDefinitions"]:
            assert container["ReadonlyRootFilesystem"] is True, name
            assert container["User"] == "10001:10001", name
            assert "@sha256:" in json.dumps(container["Image"]), name
            assert "Secrets" not in container or container["Secrets"], name
    for name, service in resources("AWS::ECS::Service").items():
        assert service.get("EnableExecuteCommand", False) is False, name


def test_the_door_speaks_tls_1_2_or_newer_and_redirects_the_rest(resources) -> None:
    """Clause 3.1.a."""
    listeners = {one["Port"]: one for one in resources("AWS::ElasticLoadBalancingV2::Listener").values()}
    assert set(listeners) == {80, 443}
    assert listeners[443]["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert listeners[80]["DefaultActions"][0]["RedirectConfig"]["Protocol"] == "HTTPS"
    assert len(resources("AWS::WAFv2::WebACLAssociation")) == 1


def test_backups_of_aws_never_cover_the_key_store(templates) -> None:
    """A versioned copy of customer keys would undo every deletion."""
    text = json.dumps(templates["Watch"])
    assert "MainDatabase" in text
    selections = [
        one for one in templates["Watch"]["Resources"].values() if one["Type"] == "AWS::Backup::BackupSelection"
    ]
    assert selections
    assert "KeysDatabase" not in json.dumps(selections)


def test_trail_detection_and_record_are_on(resources) -> None:
    [trail] = resources("AWS::CloudTrail::Trail").values()
    assert trail["IsLogging"] and trail["IsMultiRegionTrail"] and trail["EnableLogFileValidation"]
    assert len(resources("AWS::GuardDuty::Detector")) == len(resources("AWS::Config::ConfigurationRecorder")) == 1
    assert {one["LogDestinationType"] for one in resources("AWS::EC2::FlowLog").values()} == {"cloud-watch-logs", "s3"}
    assert len(resources("AWS::Budgets::Budget")) == 1


def test_no_exception_is_expired_and_every_one_says_why() -> None:
    today = dt.datetime.now(dt.UTC).date()
    for one in (*exceptions.EXCEPTIONS, *exceptions.LINT_EXCEPTIONS):
        assert today < one.until <= today + dt.timedelta(days=366), one
        assert len(one.reason) > 30, one


def test_an_expired_exception_fails_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context=FLAGS)
    stacks(app, PLAN, today=max(one.until for one in exceptions.EXCEPTIONS))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "AwsSolutions-EC23" in (tmp_path / "validation-report.json").read_text()


def test_a_planted_open_bucket_fails_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context=FLAGS)
    s3.Bucket(stacks(app, PLAN)["data"], "Planted")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "Planted" in (tmp_path / "validation-report.json").read_text()


def test_cfn_lint_finds_nothing_that_is_not_excepted(assembly: Path) -> None:
    paths = sorted(map(str, assembly.glob("*.template.json")))
    excepted = [one.rule for one in exceptions.LINT_EXCEPTIONS]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), "-r", PLAN.primary, "-i", *excepted, "-t", *paths],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_cfn_lint_would_see_a_mistake(tmp_path: Path) -> None:
    bad = tmp_path / "bad.template.json"
    bad.write_text(json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"Nonsense": 1}}}}))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), "-t", str(bad)], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0


def test_the_queue_is_named_to_the_tasks_and_has_dead_letters(resources) -> None:
    [jobs] = [queue for name, queue in resources("AWS::SQS::Queue").items() if name.startswith("Data/Jobs")]
    assert jobs["RedrivePolicy"]["maxReceiveCount"] == 4
    for name, task in resources("AWS::ECS::TaskDefinition").items():
        for container in task["ContainerDefinitions"]:
            told = {one["Name"]: one["Value"] for one in container["Environment"]}
            assert told["HEADSHOTLY_OPTION_QUEUE__ENGINE"] == "sqs", name
            assert told["HEADSHOTLY_OPTION_QUEUE__URL"] != told["HEADSHOTLY_OPTION_QUEUE__DEAD_URL"], name
    given = json.dumps([policy["PolicyDocument"] for policy in resources("AWS::IAM::Policy").values()])
    for act in ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes"):
        assert f"sqs:{act}" in given


def _acts(resources, room: str) -> dict[str, set[str]]:
    """Return resource → acts of everything a task may do, whatever policy says so."""
    found: dict[str, set[str]] = {}
    for policy in resources("AWS::IAM::Policy").values():
        if room.capitalize() + "Task" not in json.dumps(policy.get("Roles", [])):
            continue
        for statement in policy["PolicyDocument"]["Statement"]:
            acts = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            of = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
            for one in of:
                found.setdefault(json.dumps(one), set()).update(acts)
    return found


def test_only_the_duties_write_backups_in_both_regions_and_only_a_lock_keeps_them_from_deleting(resources) -> None:
    """Clauses 6.1.a, 6.1.b."""
    acts = _acts(resources, "duties")
    for place in ("Backup", "headshotly-second-"):
        [mine] = [may for of, may in acts.items() if place in of and "/*" in of and "irror" not in of]
        assert {"s3:PutObject", "s3:PutObjectRetention", "s3:GetObject", "s3:DeleteObjectVersion"} <= mine, place
        assert not {"s3:BypassGovernanceRetention", "s3:PutBucketObjectLockConfiguration", "s3:*"} & mine
    for place in ("BackupMirror", "headshotly-mirror-"):
        [mine] = [may for of, may in acts.items() if place in of and "/*" in of]
        assert mine == {"s3:PutObject", "s3:GetObject", "s3:DeleteObject"}, place
    for room in ("web", "worker", "sequencer", "detector"):
        of = " ".join(_acts(resources, room))
        assert not [place for place in ("Backup", "second-", "mirror-") if place in of], room


def test_tasks_are_told_two_stores_and_the_names_of_both_root_keys(resources) -> None:
    told = json.dumps(next(iter(resources("AWS::ECS::TaskDefinition").values())))
    assert "@eu-central-1,s3:headshotly-second-" in told
    assert "@eu-west-1" in told
    names = {json.dumps(alias["AliasName"]) for alias in resources("AWS::KMS::Alias").values()}
    for purpose in ("root", "backup"):
        assert f"alias/headshotly/{purpose}" in told
        assert f'"alias/headshotly/{purpose}/current"' in names
        assert any(f"alias/headshotly/{purpose}/root/" in name for name in names)


def test_the_firewall_lets_the_duties_reach_our_own_buckets_in_the_second_region_and_no_others(templates) -> None:
    said = json.dumps(templates)
    assert re.search(r"headshotly-second-\d{12}-eu-west-1\.s3\.eu-west-1\.amazonaws\.com", said)
    assert not re.search(r'"\.s3\.eu-west-1|"s3\.eu-west-1', said)


def test_mail_leaves_signed_and_over_tls_for_those_who_write_it(resources) -> None:
    """Clause 3.1."""
    [through] = resources("AWS::SES::ConfigurationSet").values()
    assert through["DeliveryOptions"]["TlsPolicy"] == "REQUIRE"
    [identity] = resources("AWS::SES::EmailIdentity").values()
    assert identity["EmailIdentity"] == "headshotly.ai"
    may = {room for room in ("web", "worker", "sequencer", "detector", "duties")
           if any("ses:SendEmail" in acts for acts in _acts(resources, room).values())}  # fmt: skip
    assert may == {"web", "worker", "duties", "detector"}


def test_only_the_balancers_networks_may_say_whose_request_it_is(resources) -> None:
    edges = {
        subnet["CidrBlock"]
        for name, subnet in resources("AWS::EC2::Subnet").items()
        if any(tag["Key"] == "aws-cdk:subnet-name" and tag["Value"] == "edge" for tag in subnet["Tags"])
    }
    assert len(edges) == 2
    for name, task in resources("AWS::ECS::TaskDefinition").items():
        for container in task["ContainerDefinitions"]:
            told = {one["Name"]: one["Value"] for one in container["Environment"]}
            assert "0.0.0.0/0" not in json.dumps(told["HEADSHOTLY_OPTION_PROXIES__TRUSTED"]), name
            assert (
                json.dumps(told["HEADSHOTLY_OPTION_PROXIES__TRUSTED"]).count("CidrBlock") == 2
                or set(str(told["HEADSHOTLY_OPTION_PROXIES__TRUSTED"]).split(",")) == edges
            ), name
    [group] = resources("AWS::ElasticLoadBalancingV2::TargetGroup").values()
    assert group["HealthCheckPath"] == "/readyz"


def _shared(resources) -> dict[tuple[str, str], str]:
    """Return (task, folder) → logical id of the access point, from what task definitions mount."""
    points = {name.split("/")[1]: point for name, point in resources("AWS::EFS::AccessPoint").items()}
    found = {}
    for name, task in resources("AWS::ECS::TaskDefinition").items():
        [container] = task["ContainerDefinitions"]
        mounts = {one["SourceVolume"]: one for one in container["MountPoints"]}
        for volume in task["Volumes"]:
            if "EFSVolumeConfiguration" not in volume:
                assert volume["Name"] == "scratch", name
                continue
            given = volume["EFSVolumeConfiguration"]
            assert given["TransitEncryption"] == "ENABLED", name
            assert given["AuthorizationConfig"]["IAM"] == "ENABLED", name
            said = json.dumps(given["AuthorizationConfig"]["AccessPointId"])
            [point] = [logical for logical in points if logical in said]
            path = points[point]["RootDirectory"]["Path"]
            assert mounts[volume["Name"]]["ContainerPath"] == path, name
            found[container["Name"], path] = point
    return found


def test_the_shared_disk_is_sealed_by_a_key_of_its_own_and_in_no_backup(resources) -> None:
    """Clause 3.2.b; a backup that keeps history would keep signing keys beyond their end."""
    [(_, disk)] = resources("AWS::EFS::FileSystem").items()
    assert disk["Encrypted"] is True
    assert "DiskKey" in json.dumps(disk["KmsKeyId"])
    others = [one for kind in ("AWS::S3::Bucket", "AWS::RDS::DBCluster", "AWS::SQS::Queue")
              for one in resources(kind).values()]  # fmt: skip
    assert "DiskKey" not in json.dumps(others)
    assert disk["BackupPolicy"] == {"Status": "DISABLED"}
    assert "ReplicationConfiguration" not in disk
    selected = json.dumps(list(resources("AWS::Backup::BackupSelection").values()))
    assert "elasticfilesystem" not in selected
    assert "Disk" not in selected
    assert "ListOfTags" not in selected, "a tag might select it"


def test_the_shared_disk_is_spoken_to_over_tls_through_access_points_and_never_as_root(resources) -> None:
    """Clause 3.1.a."""
    [disk] = resources("AWS::EFS::FileSystem").values()
    denied = {one["Sid"]: one for one in disk["FileSystemPolicy"]["Statement"]}
    assert all(one["Effect"] == "Deny" and one["Principal"] == {"AWS": "*"} for one in denied.values())
    client = {f"elasticfilesystem:Client{act}" for act in ("Mount", "Write", "RootAccess")}
    conditions = {
        "NeverInTheClear": {"Bool": {"aws:SecureTransport": "false"}},
        "NeverWithoutAnAccessPoint": {"Null": {"elasticfilesystem:AccessPointArn": "true"}},
        "NeverFromElsewhere": {"Bool": {"elasticfilesystem:AccessedViaMountTarget": "false"}},
    }
    for sid, condition in conditions.items():
        assert set(denied[sid]["Action"]) == client, sid
        assert denied[sid]["Condition"] == condition, sid
    assert denied["NeverAsRoot"]["Action"] == "elasticfilesystem:ClientRootAccess"
    assert "Condition" not in denied["NeverAsRoot"]
    for name, point in resources("AWS::EFS::AccessPoint").items():
        assert (point["PosixUser"]["Uid"], point["PosixUser"]["Gid"]) == ("10001", "10001"), name
        assert point["RootDirectory"]["Path"] != "/", name
        assert point["RootDirectory"]["CreationInfo"]["Permissions"] == "0700", name


def test_the_shared_disk_stands_in_both_zones_and_hears_tasks_alone(resources) -> None:
    targets = resources("AWS::EFS::MountTarget")
    assert len({json.dumps(one["SubnetId"]) for one in targets.values()}) == 2
    for name, one in targets.items():
        assert "dataSubnet" in json.dumps(one["SubnetId"]), name
        [group] = one["SecurityGroups"]
        assert "DiskGroup" in json.dumps(group), name
    [own] = [one for name, one in resources("AWS::EC2::SecurityGroup").items() if "/DiskGroup" in name]
    assert not own.get("SecurityGroupIngress")
    heard = [one for one in resources("AWS::EC2::SecurityGroupIngress").values()
             if "DiskGroup" in json.dumps(one["GroupId"])]  # fmt: skip
    assert {(one["FromPort"], one["ToPort"], one["IpProtocol"]) for one in heard} == {(2049, 2049, "tcp")}
    rooms = {re.search(r"(\w+?)Group", json.dumps(one["SourceSecurityGroupId"])).group(1) for one in heard}
    assert {room.removeprefix("Network") for room in rooms} == {
        "Web", "Worker", "Sequencer", "Sender", "Detector", "Duties", "Operator",
    }  # fmt: skip


def test_each_task_mounts_and_may_mount_only_what_it_needs(resources) -> None:
    """Clause 2.4.a: who cannot reach a signing key cannot sign."""
    may: dict[tuple[str, str], set[str]] = {}
    paths = {name.split("/")[1]: point["RootDirectory"]["Path"]
             for name, point in resources("AWS::EFS::AccessPoint").items()}  # fmt: skip
    for policy in resources("AWS::IAM::Policy").values():
        for one in policy["PolicyDocument"]["Statement"]:
            acts = one["Action"] if isinstance(one["Action"], list) else [one["Action"]]
            if not any(act.startswith("elasticfilesystem:") for act in acts):
                continue
            assert len(policy["Roles"]) == 1
            [room] = re.findall(
                r"(Web|Worker|Sequencer|Sender|Detector|Duties|Operator)Task", json.dumps(policy["Roles"])
            )
            [of] = one["Condition"]["StringEquals"].values()
            [point] = [logical for logical in paths if logical in json.dumps(of)]
            assert point.startswith(f"Disk{room}"), "nobody uses another's access point"
            may[room.lower(), paths[point]] = {act.removeprefix("elasticfilesystem:Client") for act in acts}
    everything = {"Mount", "Write"}
    assert may == {
        **{(room, "/shared"): everything for room in (*ROOMS, OPERATOR)},
        (OPERATOR, "/journal"): everything,
        ("sequencer", "/journal"): everything,
        ("web", "/journal"): {"Mount"},
        ("duties", "/journal"): {"Mount"},
        ("worker", "/pictures"): everything,
        ("duties", "/disclosure"): everything,
    }
    assert set(_shared(resources)) == set(may)
    for task in resources("AWS::ECS::TaskDefinition").values():
        [container] = task["ContainerDefinitions"]
        for mount in container["MountPoints"]:
            rights = may.get((container["Name"], mount["ContainerPath"]), everything)
            assert mount["ReadOnly"] is ("Write" not in rights), (container["Name"], mount)


def test_tasks_are_told_where_on_the_shared_disk_their_files_lie(resources) -> None:
    for name, task in resources("AWS::ECS::TaskDefinition").items():
        [container] = task["ContainerDefinitions"]
        told = {one["Name"]: one["Value"] for one in container["Environment"]}
        assert told["HEADSHOTLY_DATA"] == "/shared", name
        assert told["HEADSHOTLY_OPTION_JOURNAL__KEY_FILE"].startswith("/journal/"), name
        assert told["HEADSHOTLY_OPTION_CREDENTIALS__FOLDER"] == "/pictures", name
        assert told["HEADSHOTLY_OPTION_DISCLOSURE__KEY_FILE"].startswith("/disclosure/"), name
        # Temporary names and counters stay on the machine: the image says TMPDIR=/data.
        [scratch] = [one for one in container["MountPoints"] if one["SourceVolume"] == "scratch"]
        assert scratch["ContainerPath"] == "/data", name
        assert told["HEADSHOTLY_OPTION_METRICS__FOLDER"].startswith("/data/"), name


def test_workers_grow_with_the_queue_and_with_what_they_do(resources) -> None:
    steps = [
        one["StepScalingPolicyConfiguration"]
        for one in resources("AWS::ApplicationAutoScaling::ScalingPolicy").values()
        if one["PolicyType"] == "StepScaling"
    ]
    [alarm] = [
        one
        for one in resources("AWS::CloudWatch::Alarm", "Service").values()
        if one.get("MetricName") == "ApproximateNumberOfMessagesVisible"
    ]
    assert "Jobs" in json.dumps(alarm["Dimensions"])
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    [step] = steps
    more = [one["ScalingAdjustment"] for one in step["StepAdjustments"]]
    assert more == sorted(more)
    assert more[0] > 0, "the queue never takes workers away"
    cpu = [one for name, one in resources("AWS::ApplicationAutoScaling::ScalingPolicy").items()
           if one["PolicyType"] == "TargetTrackingScaling"]  # fmt: skip
    assert len(cpu) == 2


def test_a_planted_open_disk_fails_the_synthesis(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context=FLAGS)
    efs.CfnFileSystem(stacks(app, PLAN)["data"], "Planted", encrypted=False)
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
    assert "AwsSolutions-EFS1" in (tmp_path / "validation-report.json").read_text()


def test_programs_sign_in_by_their_role_over_tls_and_only_the_operator_has_a_password(resources) -> None:
    for name, task in resources("AWS::ECS::TaskDefinition").items():
        [container] = task["ContainerDefinitions"]
        told = {one["Name"]: one["Value"] for one in container["Environment"]}
        room = container["Name"]
        assert told["HEADSHOTLY_OPTION_DATABASE__CA_FILE"] == "/app/rds-ca.pem", name
        assert (told.get("HEADSHOTLY_OPTION_DATABASE__SIGN_IN") == "aws-iam") is (room != OPERATOR), name
        assert ("HEADSHOTLY_OPTION_DRILL__DATABASE_URL" in told) is (room == "duties"), name
        secrets = {one["Name"] for one in container.get("Secrets", []) if "STRIPE" not in one["Name"]}
        passwords = {"HEADSHOTLY_DATABASE_PASSWORD", "HEADSHOTLY_KEYS_DATABASE_PASSWORD"}
        assert secrets == (passwords if room == OPERATOR else set()), name
    readers = {
        json.dumps(policy["Roles"])
        for policy in resources("AWS::IAM::Policy").values()
        for one in policy["PolicyDocument"]["Statement"]
        if "secretsmanager:GetSecretValue" in one["Action"]
    }
    # What starts tasks reads secrets for them; no task may by itself.
    assert sum("OperatorExecution" in one for one in readers) == 1
    assert all("Execution" in one and "Task" not in one for one in readers)


def test_the_operators_task_runs_for_nobody_until_somebody_with_a_second_factor_starts_it(resources) -> None:
    """Clauses 2.4.b, 2.4.c."""
    used = json.dumps([one["TaskDefinition"] for one in resources("AWS::ECS::Service").values()])
    assert "OperatorDefinition" not in used
    [policy] = resources("AWS::IAM::ManagedPolicy").values()
    assert not {"Roles", "Users", "Groups"} & set(policy)
    runs, passes = policy["PolicyDocument"]["Statement"]
    assert runs["Action"] == "ecs:RunTask"
    assert runs["Condition"]["Bool"] == {"aws:MultiFactorAuthPresent": "true"}
    assert passes["Condition"]["StringEquals"] == {"iam:PassedToService": "ecs-tasks.amazonaws.com"}
    [rule] = [one for one in resources("AWS::Events::Rule").values() if one["EventPattern"]["source"] == ["aws.ecs"]]
    assert rule["EventPattern"]["detail"]["lastStatus"] == ["RUNNING", "STOPPED"]
    assert "Alarms" in json.dumps(rule["Targets"])


def test_only_the_operator_makes_epochs_of_root_keys_and_only_under_our_names(resources) -> None:
    """Clause 3.2.b."""
    makers = {}
    for policy in resources("AWS::IAM::Policy").values():
        for one in policy["PolicyDocument"]["Statement"]:
            for act in [one["Action"]] if isinstance(one["Action"], str) else one["Action"]:
                if act in {"kms:CreateKey", "kms:ScheduleKeyDeletion", "kms:UpdateAlias", "kms:PutKeyPolicy"}:
                    makers.setdefault(act, []).append((json.dumps(policy["Roles"]), one))
    assert set(makers) == {"kms:CreateKey", "kms:ScheduleKeyDeletion", "kms:UpdateAlias"}
    assert all("OperatorTask" in roles for found in makers.values() for roles, _ in found)
    [(_, deleting)] = makers["kms:ScheduleKeyDeletion"]
    aliases = deleting["Condition"]["ForAnyValue:StringLike"]["kms:ResourceAliases"]
    assert all(one.startswith("alias/headshotly/") for one in aliases)


def test_the_operator_changes_the_backups_root_key_and_writes_nothing_else_of_a_backup(resources) -> None:
    """Clause 3.2.b: wrapped keys are written in both regions; blobs and manifests are not the operator's."""
    writes = set()
    for policy in resources("AWS::IAM::Policy").values():
        if "OperatorTask" in json.dumps(policy["Roles"]):
            for one in policy["PolicyDocument"]["Statement"]:
                place = json.dumps(one["Resource"])
                if "s3:PutObject" in one["Action"] and ("second" in place or "Backup" in place):
                    writes.add(place.rstrip('"]} ').rpartition("/")[0].rpartition("/")[2] + "/*")
                    assert "/keys/*" in place, place
                    assert set(one["Action"]) == {"s3:PutObject", "s3:PutObjectRetention"}
    assert writes == {"keys/*"}
    keys = resources("AWS::KMS::Key")
    may = {
        (name[:14], one["Sid"])
        for name, key in keys.items()
        for one in key["KeyPolicy"]["Statement"]
        if "kms:ReEncryptFrom" in json.dumps(one["Action"]) and one["Sid"].startswith("Wrap")
    }
    assert may == {("Keys/BackupKey", "WrapOperator")}


def test_alarms_arrive_through_the_sealed_topic(resources) -> None:
    [key] = [key for name, key in resources("AWS::KMS::Key").items() if name.startswith("Keys/DataKey")]
    [alarms] = [one for one in key["KeyPolicy"]["Statement"] if one.get("Sid") == "Alarms"]
    assert alarms["Principal"]["Service"] == "cloudwatch.amazonaws.com"
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_only_the_collector_asks_programs_for_their_numbers(resources) -> None:
    scraped = {
        rule["FromPort"]: json.dumps(rule["SourceSecurityGroupId"])
        for rule in resources("AWS::EC2::SecurityGroupIngress").values()
        if 9464 <= rule["FromPort"] <= 9469
    }
    assert set(scraped) == set(METRICS.values())
    assert all("Collector" in source for source in scraped.values())
    asked = (Path(__file__).parents[1] / "prometheus" / "scrape.yml").read_text()
    assert all(f"{room}-1:{port}" in asked for room, port in METRICS.items())
