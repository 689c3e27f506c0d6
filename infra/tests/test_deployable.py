"""What cfn-lint and cdk-nag do not see: templates that deploy, or fail to, and then do not do what they say."""

import dataclasses
import fnmatch
import ipaddress
import json
import re
import tomllib
from pathlib import Path

import aws_cdk as cdk
import pytest
from headshotly_infra import guard_rails
from headshotly_infra.data import OWNER, WATCHED
from headshotly_infra.deployment import FLAGS, plan_of, stacks
from headshotly_infra.keys import OPERATOR, ROOMS
from headshotly_infra.network import INSIDE, METRICS, WAYS_OUT
from headshotly_infra.plan import Plan
from headshotly_infra.service import BODY_RULES, CASHIERS, TASKS

from tests.conftest import ACCOUNT, PLAN

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAMS = (*ROOMS, OPERATOR)


def _several(one: object) -> list:
    return one if isinstance(one, list) else [one]


def _allowed(resources, room: str) -> list[tuple[set[str], str, dict]]:
    """Return acts, resource and condition of everything that policies of its role let a task do."""
    return [
        (set(_several(said["Action"])), json.dumps(of), said.get("Condition", {}))
        for policy in resources("AWS::IAM::Policy").values()
        if f"{room.capitalize()}Task" in json.dumps(policy.get("Roles", []))
        for said in policy["PolicyDocument"]["Statement"]
        for of in _several(said["Resource"])
    ]


def _holds(resources, room: str, acts: set[str], place: str) -> set[str]:
    """Return which of some acts a task may not do on a resource whose name holds ``place``."""
    held = {act for may, of, _ in _allowed(resources, room) if re.search(place, of) for act in may}
    return acts - held


# What each adapter asks of AWS → what IAM calls it. An adapter that asks for something else fails the test below.
_READ, _WRITE, _DROP = {"s3:GetObject"}, {"s3:PutObject"}, {"s3:DeleteObject"}
CALLS = {
    "head_object": _READ, "get_object": _READ, "put_object": _WRITE, "create_multipart_upload": _WRITE,
    "upload_part": _WRITE, "complete_multipart_upload": _WRITE, "abort_multipart_upload": {"s3:AbortMultipartUpload"},
    "delete_object": _DROP, "delete_objects": _DROP, "list_objects_v2": {"s3:ListBucket"},
    "list_object_versions": {"s3:ListBucketVersions"}, "get_bucket_versioning": {"s3:GetBucketVersioning"},
    "list_multipart_uploads": {"s3:ListBucketMultipartUploads"}, "put_object_retention": {"s3:PutObjectRetention"},
    "get_object_lock_configuration": {"s3:GetBucketObjectLockConfiguration"},
    "send_message": {"sqs:SendMessage"}, "receive_message": {"sqs:ReceiveMessage"},
    "delete_message": {"sqs:DeleteMessage"}, "change_message_visibility": {"sqs:ChangeMessageVisibility"},
    "get_queue_attributes": {"sqs:GetQueueAttributes"},
}  # fmt: skip
_VERSIONS = {"s3:ListBucketVersions", "s3:GetObjectVersion"}
_PUTS = _WRITE | {"s3:PutObjectRetention"}
# adapter → [task, part of the resource's name, what of the adapter's acts it has no use for, what it needs besides]
USES: dict[str, list[tuple[str, str, set[str], set[str]]]] = {
    # Objects have no versions, and are written by whoever takes pictures in or makes them.
    "vault/s3.py": [
        *((room, "Objects", {"s3:ListBucketVersions"}, set()) for room in ("web", "worker", OPERATOR)),
        ("duties", "Objects", {"s3:ListBucketVersions"} | _WRITE, set()),
    ],
    "audit/s3_witness.py": [
        ("sequencer", "Witness", _VERSIONS, _PUTS),
        ("duties", "Witness", _WRITE, _VERSIONS),
        (OPERATOR, "Witness", set(), _PUTS | _VERSIONS),
    ],
    "continuity/s3_store.py": [
        ("duties", r"Export\S*Backup(?!Mirror)|Backup(?!Mirror)", set(), {"s3:DeleteObjectVersion"}),
        ("duties", "headshotly-second", set(), {"s3:DeleteObjectVersion"}),
    ],
    "frontdoor/sqs_broker.py": [
        ("web", "Jobs", {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"}, set()),
        ("worker", "Jobs", set(), set()),
        *((room, place, {f"sqs:{act}" for act in ("SendMessage", "ReceiveMessage", "DeleteMessage",
                                                 "ChangeMessageVisibility")}, set())
          for room in ("duties", OPERATOR) for place in ("Jobs", "DeadLetters")),
    ],
    "incidents/reading.py": [
        *(("detector", f"Notices{name.title().replace('-', '')}", _READ, set()) for name in WATCHED),
        ("detector", "Locked.*CloudTrail", {"sqs:ReceiveMessage", "sqs:DeleteMessage"}, set()),
        ("detector", "Records.*flows", {"sqs:ReceiveMessage", "sqs:DeleteMessage"}, set()),
        ("detector", "Records.*firewall", {"sqs:ReceiveMessage", "sqs:DeleteMessage"}, set()),
    ],
}  # fmt: skip


def _asked(adapter: str) -> set[str]:
    """Return what IAM calls everything that an adapter asks of AWS."""
    text = (REPOSITORY / "headshotly" / adapter).read_text()
    calls = re.findall(r"\b_?(?:client|sqs|s3)\.(?:get_paginator\(\"(\w+)\"|([a-z_0-9]+)\()", text)
    named = {one or other for one, other in calls} - {"get_paginator", "answering", "put"}
    assert named, adapter
    assert named <= set(CALLS), f"{adapter} asks for something new"
    return {act for name in named for act in CALLS[name]}


@pytest.mark.parametrize("adapter", USES)
def test_every_task_may_do_what_its_adapters_ask_of_aws(resources, adapter: str) -> None:
    """Clause 2.4.a, from the other side: what is missing here fails when it is needed."""
    asked = _asked(adapter)
    for room, place, unused, besides in USES[adapter]:
        assert unused <= asked | _VERSIONS, (room, place)
        assert not _holds(resources, room, (asked - unused) | besides, place), (room, place)


def test_a_root_key_can_be_retired_and_nobody_can_grant_its_use_away(resources) -> None:
    """Clause 3.2.b. A policy of IAM counts only for what the key's own policy leaves to the account."""
    for name, key in resources("AWS::KMS::Key").items():
        if not name.startswith(("Keys/RootKey", "Keys/BackupKey")):
            continue
        [left] = [one for one in key["KeyPolicy"]["Statement"] if one["Sid"] == "AdministrationWithoutUse"]
        acts = set(left["Action"])
        asked = {"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:ScheduleKeyDeletion"}
        assert asked <= acts, name
        assert not {"kms:CreateGrant", "kms:Create*", "kms:*", "kms:GenerateDataKey"} & acts, name
        of_operator = {act for may, _, _ in _allowed(resources, OPERATOR) for act in may}
        assert asked | {"kms:GetKeyPolicy", "kms:EnableKeyRotation", "kms:ListAliases"} <= of_operator


def _routes(resources) -> dict[str, list[dict]]:
    """Return the routes of each kind of subnet, by the kind's name."""
    found: dict[str, list[dict]] = {}
    for route in resources("AWS::EC2::Route", "Network").values():
        [kind] = re.findall(r"Vpc([a-z]+(?:-?out)?)Subnet", json.dumps(route["RouteTableId"]))
        found.setdefault(kind, []).append(route)
    return found


def test_the_firewall_sees_both_halves_of_what_passes_it_and_no_half_of_what_does_not(resources) -> None:
    """A task answers the load balancer directly; a request that came through the firewall would be dropped there."""
    routes = _routes(resources)
    assert set(routes) == {"edge", "firewall", "tasks", "senders", "wayout"}
    assert [sorted(set(one) - {"RouteTableId", "DestinationCidrBlock"}) for one in routes["edge"]] == [
        ["GatewayId"]
    ] * 2
    back = [one for one in routes["wayout"] if "VpcEndpointId" in one]
    assert len(back) == 4
    blocks = {name.split("/")[1]: one["CidrBlock"] for name, one in resources("AWS::EC2::Subnet").items()}
    # Zone by zone: what leaves through one firewall comes back through the same.
    for kind, zone in ((kind, zone) for kind in ("tasks", "senders") for zone in (1, 2)):
        [block] = [block for name, block in blocks.items() if f"{kind}Subnet{zone}" in name]
        [out] = [one for one in routes[kind] if f"{kind}Subnet{zone}" in json.dumps(one["RouteTableId"])]
        [home] = [one for one in back if one["DestinationCidrBlock"] == block]
        assert f"wayoutSubnet{zone}" in json.dumps(home["RouteTableId"])
        assert out["VpcEndpointId"] == home["VpcEndpointId"]
        assert f"Firewall{zone}" in json.dumps(out["VpcEndpointId"])
    for name, gateway in resources("AWS::EC2::NatGateway").items():
        assert "wayoutSubnet" in json.dumps(gateway["SubnetId"]), name
    for name, one in resources("AWS::ElasticLoadBalancingV2::LoadBalancer").items():
        assert json.dumps(one["Subnets"]).count("edgeSubnet") == 2, name


def test_every_task_reaches_the_layers_of_its_image_and_the_buckets(resources) -> None:
    """A gateway endpoint is a route, and no group: what leaves no group leaves no task."""
    ways = {
        re.search(r'"(\w+)Group\w{8}"', json.dumps(one["GroupId"])).group(1).lower(): one
        for one in resources("AWS::EC2::SecurityGroupEgress", "Network").values()
        if "DestinationPrefixListId" in one
    }
    assert set(ways) == set(PROGRAMS)
    for room, one in ways.items():
        assert (one["DestinationPrefixListId"], one["FromPort"], one["ToPort"]) == (PLAN.s3_prefix_list, 443, 443), room


def test_a_machine_of_our_own_reaches_ecs_without_the_internet(resources) -> None:
    served = json.dumps([one["ServiceName"] for one in resources("AWS::EC2::VPCEndpoint").values()])
    for name in ("ecs", "ecs-agent", "ecs-telemetry", "ecr.api", "ecr.dkr", "logs", "kms", "sqs", "secretsmanager"):
        assert f'.{name}"' in served, name


def test_only_named_hosts_are_let_out_and_never_a_region_or_everything(resources) -> None:
    [names] = [
        one["RuleGroup"]["RulesSource"]["RulesSourceList"]["Targets"]
        for one in resources("AWS::NetworkFirewall::RuleGroup").values()
        if "RulesSourceList" in one["RuleGroup"]["RulesSource"]
    ]
    assert {"api.stripe.com", "events.pagerduty.example", ".webhooks.example"} <= set(names)
    assert not [name for name in names if name.startswith(".s3") or name in {"", ".", "*"}]
    [policy] = resources("AWS::NetworkFirewall::FirewallPolicy").values()
    said = policy["FirewallPolicy"]
    # “drop_established” drops the first packet of a hello that takes two; those for the server alone keep its windows.
    assert said["StatefulDefaultActions"] == [
        f"aws:{act}_established_app_layer_to_server" for act in ("drop", "alert")
    ]  # fmt: skip
    assert said["StatefulEngineOptions"] == {"RuleOrder": "STRICT_ORDER", "StreamExceptionPolicy": "REJECT"}
    assert said["StatelessDefaultActions"] == ["aws:forward_to_sfe"]
    assert said["StatelessFragmentDefaultActions"] == ["aws:drop"]


def _group_of(resources, room: str) -> dict[str, list[dict]]:
    """Return what a room's security group lets out, and in."""
    wanted = f"Network/{room.capitalize()}Group"
    [own] = [one for name, one in resources("AWS::EC2::SecurityGroup").items() if name.startswith(wanted)]
    found = {"out": list(own.get("SecurityGroupEgress", [])), "in": list(own.get("SecurityGroupIngress", []))}
    for way, kind in (("out", "AWS::EC2::SecurityGroupEgress"), ("in", "AWS::EC2::SecurityGroupIngress")):
        found[way] += [one for one in resources(kind).values()
                       if f'"{room.capitalize()}Group' in json.dumps(one["GroupId"])]  # fmt: skip
    return found


def test_the_sender_alone_reaches_endpoints_that_nobody_named_and_from_a_network_of_its_own(resources) -> None:
    """Clauses 1.2.d, 2.4.a, 4.1: customers' endpoints are any public https address; nothing else is opened for them."""
    senders = {one["CidrBlock"] for name, one in resources("AWS::EC2::Subnet").items() if "sendersSubnet" in name}
    assert len(senders) == 2
    services = {name.split("/")[1]: one for name, one in resources("AWS::ECS::Service").items()}
    for name, one in services.items():
        where = json.dumps(one["NetworkConfiguration"]["AwsvpcConfiguration"]["Subnets"])
        assert ("sendersSubnet" in where) is name.startswith("Sender"), name
        assert ("tasksSubnet" in where) is not name.startswith("Sender"), name
    opened = {}
    for group in resources("AWS::NetworkFirewall::RuleGroup").values():
        text = group["RuleGroup"]["RulesSource"].get("RulesString", "")
        opened |= {line: group["RuleGroup"] for line in text.splitlines() if line.startswith("pass ")}
    [(line, group)] = opened.items()
    assert line.startswith("pass tls $SENDERS any -> !$INSIDE 443 (")
    assert "tls.sni" in line
    sets = {name: set(one["Definition"]) for name, one in group["RuleVariables"]["IPSets"].items()}
    assert sets == {"SENDERS": senders, "INSIDE": set(INSIDE)}
    [policy] = resources("AWS::NetworkFirewall::FirewallPolicy").values()
    assert len(policy["FirewallPolicy"]["StatefulRuleGroupReferences"]) == 3


def test_the_firewalls_idea_of_an_inside_address_is_no_wider_than_the_programs_own() -> None:
    """Both sides refuse the same: else messages the program sends would be dropped, or what it refuses let through."""
    for block in map(ipaddress.ip_network, INSIDE):
        for address in (block[1], block[-2]):
            assert not address.is_global or address.is_multicast, address
    reserved = ("10.20.0.5", "172.31.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "127.0.0.1", "0.0.0.1",
                "192.0.0.8", "198.18.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1")  # fmt: skip
    for one in map(ipaddress.ip_address, reserved):
        assert any(one in ipaddress.ip_network(block) for block in INSIDE), one
    assert not any(ipaddress.ip_address("93.184.215.14") in ipaddress.ip_network(block) for block in INSIDE)


def test_the_senders_group_lets_out_tls_alone_and_into_no_network_like_ours(resources) -> None:
    ways = _group_of(resources, "sender")
    by_address = [one for one in ways["out"] if "CidrIp" in one]
    assert by_address
    for one in by_address:
        assert (one["IpProtocol"], one["FromPort"], one["ToPort"]) == ("tcp", 443, 443)
        assert not ipaddress.ip_network(one["CidrIp"]).overlaps(ipaddress.ip_network("10.0.0.0/8"))
    reached = [ipaddress.ip_network(one["CidrIp"]) for one in by_address]
    assert all(any(ipaddress.ip_address(one) in block for block in reached) for one in ("9.9.9.9", "93.184.215.14"))
    rooms = {re.search(r"(\w+?)Group\w{8}", json.dumps(one["DestinationSecurityGroupId"])).group(1): one["FromPort"]
             for one in ways["out"] if "DestinationSecurityGroupId" in one}  # fmt: skip
    assert {name.removeprefix("Network"): port for name, port in rooms.items()} == {
        "Database": 5432, "Endpoints": 443, "Disk": 2049,
    }  # fmt: skip
    assert len(ways["out"]) <= 60, "a group takes sixty rules"
    assert {one["FromPort"] for one in ways["in"]} == {METRICS["sender"]}


def test_the_sender_may_do_with_aws_what_sending_takes_and_nothing_besides(resources) -> None:
    """Clause 2.4.a: whoever broke into it finds no photo, no queue, no mail and no signing key."""
    acts = {act for may, _, _ in _allowed(resources, "sender") for act in may}
    assert acts == {"rds-db:connect", "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"}
    signs_in = [of for may, of, _ in _allowed(resources, "sender") if may == {"rds-db:connect"}]
    assert all(of.rstrip('"]}').endswith("/sender") for of in signs_in)
    for name, key in resources("AWS::KMS::Key").items():
        given = [one for one in key["KeyPolicy"]["Statement"] if "SenderTask" in json.dumps(one["Principal"])]
        assert [one["Action"] for one in given] == (["kms:Decrypt"] if name.startswith("Keys/RootKey") else []), name
    [task] = [one for name, one in resources("AWS::ECS::TaskDefinition").items() if "SenderDefinition" in name]
    [container] = task["ContainerDefinitions"]
    assert container["Command"] == ["headshotly", "sender"]
    assert "Secrets" not in container


def test_what_customers_are_told_is_the_senders_and_left_out_by_the_duties(resources) -> None:
    commands = {
        one["ContainerDefinitions"][0]["Name"]: one["ContainerDefinitions"][0]
        for one in resources("AWS::ECS::TaskDefinition").values()
    }
    assert commands["duties"]["Command"] == ["headshotly", "duties", "run", "--but", "integrations.deliver"]
    declared = (REPOSITORY / "headshotly" / "integrations" / "duties.py").read_text()
    assert '@duty("integrations.deliver"' in declared
    for room, container in commands.items():
        told = {one["Name"]: one["Value"] for one in container["Environment"]}
        assert told["HEADSHOTLY_OPTION_WEBHOOKS__PORT"] == "443", room


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"ways_out": "*"}, "host name"),
        ({"ways_out": "com"}, "host name"),
        ({"s3_prefix_list": ""}, "prefix list"),
        ({"image": f"docker.io/headshotly@sha256:{'ab' * 32}"}, "registry"),
        ({"stripe_secret": "sk_live_1"}, "Stripe"),  # pragma: allowlist secret
        ({"management_account": ""}, "management account"),
        ({"management_account": ACCOUNT}, "management account"),
        ({"account": "12345"}, "twelve digits"),
        ({"web_max": 1}, "At least 2"),
        ({"worker_max": 0}, "At least 2"),
        ({"gpu_workers": 5}, "4 at most"),
        ({"with_gpu": False}, "none without with_gpu"),
    ],
)
def test_a_plan_that_could_not_be_deployed_is_refused(wrong: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(PLAN, **wrong)


def test_the_guard_rails_bind_from_above_and_let_global_services_and_our_own_deployments_work(assembly) -> None:
    """Clause 2.2.a. The management account's policies bind every account but itself."""
    manifest = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    assert manifest["HeadShotly-GuardRails"]["environment"] == f"aws://{PLAN.management_account}/{PLAN.primary}"
    assert manifest["HeadShotly-Data"]["environment"] == f"aws://{ACCOUNT}/{PLAN.primary}"
    regions, _, buckets = guard_rails.document()["Statement"]
    for service in ("iam:*", "sts:*", "organizations:*", "route53:*", "cloudfront:*", "support:*", "budgets:*", "health:*",
                    "s3:ListAllMyBuckets"):  # fmt: skip
        assert service in regions["NotAction"], service
    # What has regions is denied elsewhere: nothing that keeps data or runs programs may be among the exceptions.
    regional = (
        "ec2:",
        "s3:*",
        "s3:Put",
        "s3:Create",
        "rds",
        "kms",
        "ecs",
        "lambda",
        "dynamodb",
        "sqs",
        "wafv2",
        "logs",
        "*",
    )
    assert not [one for one in regions["NotAction"] if one.startswith(regional)]
    assert buckets["Condition"]["ArnNotLike"] == {"aws:PrincipalArn": "arn:aws:iam::*:role/cdk-*-cfn-exec-role-*"}
    assert buckets["Condition"]["Bool"] == {"aws:PrincipalIsAWSService": "false"}


def test_copies_are_sealed_by_the_second_regions_key_which_the_copying_role_may_use(resources) -> None:
    """Clause 6.1.b. Without it every copy fails, and nothing but each object's own status says so."""
    [rules] = [one["ReplicationConfiguration"]["Rules"] for one in resources("AWS::S3::Bucket", "Data").values()
               if "ReplicationConfiguration" in one]  # fmt: skip
    assert rules[0]["SourceSelectionCriteria"]["SseKmsEncryptedObjects"]["Status"] == "Enabled"
    assert rules[0]["Destination"]["EncryptionConfiguration"]["ReplicaKmsKeyID"].endswith("alias/headshotly/copies")
    [policy] = [one for name, one in resources("AWS::IAM::Policy").items() if name.startswith("Data/CopyRole")]
    said = policy["PolicyDocument"]["Statement"]
    there = [one for one in said if f"arn:aws:kms:{PLAN.secondary}" in json.dumps(one["Resource"])]
    assert "kms:Encrypt" in there[0]["Action"]
    assert there[0]["Condition"]["ForAnyValue:StringEquals"] == {"kms:ResourceAliases": "alias/headshotly/copies"}
    acts = {act for one in said for act in _several(one["Action"])}
    # A bucket with object lock is copied by a role that may read locks and holds.
    assert {"s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:GetObjectVersionTagging", "s3:ReplicateObject",
            "kms:Decrypt"} <= acts  # fmt: skip


def test_config_delivers_into_a_bucket_that_does_not_lock_by_itself(resources) -> None:
    """AWS Config takes no bucket with a default lock (AWS Config Developer Guide, “Managing the delivery channel”)."""
    [channel] = resources("AWS::Config::DeliveryChannel").values()
    place = channel["S3BucketName"]["Ref"]
    bucket = resources("AWS::S3::Bucket")[f"Watch/{place}"]
    assert "ObjectLockConfiguration" not in bucket
    assert bucket["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == 400
    [trail] = resources("AWS::CloudTrail::Trail").values()
    assert trail["S3BucketName"] != channel["S3BucketName"]
    assert "ObjectLockConfiguration" in resources("AWS::S3::Bucket")[f"Watch/{trail['S3BucketName']['Ref']}"]


def test_alarms_may_be_published_and_everything_that_tells_uses_the_topic(resources) -> None:
    """Clause 8.2. A topic with a policy of its own lets in nobody whom the policy does not name."""
    [policy] = resources("AWS::SNS::TopicPolicy", "Watch").values()
    let_in = {
        json.dumps(one["Principal"]): one
        for one in policy["PolicyDocument"]["Statement"]
        if one["Effect"] == "Allow" and one["Action"] == "sns:Publish"
    }
    assert let_in['{"Service": "cloudwatch.amazonaws.com"}']["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT}
    }
    assert any("events.amazonaws.com" in who for who in let_in)
    alarms = resources("AWS::CloudWatch::Alarm", "Watch")
    assert len(alarms) >= 20
    for name, alarm in alarms.items():
        assert "Alarms" in json.dumps(alarm["AlarmActions"]), name


# namespace → metric → the dimensions under which AWS publishes it
METRICS_OF_AWS = {
    "AWS/ApplicationELB": {"HTTPCode_Target_5XX_Count": {"LoadBalancer"}, "TargetResponseTime": {"LoadBalancer"},
                           "HTTPCode_ELB_5XX_Count": {"LoadBalancer"}},
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible": {"QueueName"}, "ApproximateAgeOfOldestMessage": {"QueueName"}},
    "AWS/RDS": dict.fromkeys(("CPUUtilization", "ACUUtilization"), frozenset({"DBClusterIdentifier"})),
    "AWS/CertificateManager": {"DaysToExpiry": {"CertificateArn"}},
    "AWS/SES": dict.fromkeys(("Reputation.BounceRate", "Reputation.ComplaintRate"), frozenset()),  # of the account
    "ECS/ContainerInsights": {"RunningTaskCount": {"ClusterName", "ServiceName"}},
    "AWS/S3": {name: {"SourceBucket", "DestinationBucket", "RuleId"}
               for name in ("OperationsFailedReplication", "ReplicationLatency")},
    "AWS/Backup": {"NumberOfBackupJobsCompleted": {"BackupVaultName"}},
}  # fmt: skip


def test_alarms_look_at_metrics_that_there_are_and_programs_that_do_not_run_are_noticed(resources) -> None:
    missing = set()
    for name, alarm in resources("AWS::CloudWatch::Alarm").items():
        dimensions = {one["Name"] for one in alarm.get("Dimensions", ())}
        assert METRICS_OF_AWS[alarm["Namespace"]][alarm["MetricName"]] == dimensions, name
        if alarm["MetricName"] == "RunningTaskCount":
            assert alarm["TreatMissingData"] == "breaching", name
            assert alarm["ComparisonOperator"] == "LessThanThreshold", name
            missing.add(name.split("/")[1].removeprefix("No")[:-8].lower())
    assert missing == set(ROOMS)
    [cluster] = resources("AWS::ECS::Cluster").values()
    assert cluster["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enabled"}]


def test_a_copy_that_fails_or_is_late_is_told_of_where_s3_says_so(resources) -> None:
    """Clause 6.1.b. Failures are counted in the region that is copied from, lateness in that of the copies."""
    [(_, backup)] = [(name, one) for name, one in resources("AWS::S3::Bucket", "Data").items()
                     if "ReplicationConfiguration" in one]  # fmt: skip
    [rule] = backup["ReplicationConfiguration"]["Rules"]
    assert rule["Destination"]["Metrics"] == {"Status": "Enabled"}, "without these S3 counts nothing"
    there = rule["Destination"]["Bucket"]
    alarms = {one["MetricName"]: (name.split("/")[0], one) for name, one in resources("AWS::CloudWatch::Alarm").items()
              if one["Namespace"] == "AWS/S3"}  # fmt: skip
    assert {metric: stack for metric, (stack, _) in alarms.items()} == {
        "OperationsFailedReplication": "Watch", "ReplicationLatency": "Copies",
    }  # fmt: skip
    for metric, (stack, alarm) in alarms.items():
        said = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert said["RuleId"] == rule["Id"], metric
        assert said["DestinationBucket"] in json.dumps(there), metric
        named = said["SourceBucket"]
        assert named == backup["BucketName"] or "BackupDA3807AC" in json.dumps(named), metric
        [topic] = alarm["AlarmActions"]
        assert f"{stack}/{topic['Ref']}" in resources("AWS::SNS::Topic"), "an alarm names no other region's topic"
    failed, late = (alarms[name][1] for name in ("OperationsFailedReplication", "ReplicationLatency"))
    assert (failed["Statistic"], failed["Threshold"], failed["EvaluationPeriods"]) == ("Sum", 1, 1)
    assert failed["TreatMissingData"] == "notBreaching", "nothing is counted where nothing was copied"
    assert (late["Statistic"], late["Threshold"]) == ("Maximum", 3600)
    for stack in ("Watch", "Copies"):
        mails = [one for one in resources("AWS::SNS::Subscription", stack).values() if one["Protocol"] == "email"]
        assert [one["Endpoint"] for one in mails] == [PLAN.alarm_mail], stack
    [key] = resources("AWS::KMS::Key", "Copies").values()
    assert [one for one in key["KeyPolicy"]["Statement"] if one.get("Sid") == "Alarms"
            and one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]  # fmt: skip


def test_a_backup_by_aws_that_fails_or_never_began_is_told_of(resources) -> None:
    """Clause 6.1.a. A plan that no longer runs fails nothing."""
    [rule] = [one for one in resources("AWS::Events::Rule").values() if one["EventPattern"]["source"] == ["aws.backup"]]
    assert set(rule["EventPattern"]["detail"]["state"]) == {"FAILED", "ABORTED", "EXPIRED", "PARTIAL"}
    assert "Alarms" in json.dumps(rule["Targets"])
    [none] = [one for one in resources("AWS::CloudWatch::Alarm").values() if one["Namespace"] == "AWS/Backup"]
    assert (none["ComparisonOperator"], none["TreatMissingData"]) == ("LessThanThreshold", "breaching")
    assert none["Period"] * none["EvaluationPeriods"] <= 7 * 86_400, "CloudWatch looks back no further"
    [vault] = resources("AWS::Backup::BackupVault")
    assert json.dumps(none["Dimensions"]).count(vault.split("/")[1]) == 1


def test_what_the_firewall_told_reaches_the_detector(resources) -> None:
    """Clause 8.2: a log that nobody reads finds nothing."""
    told = resources("AWS::NetworkFirewall::LoggingConfiguration")
    assert len(told) == len(resources("AWS::NetworkFirewall::Firewall")) == 2
    for name, one in told.items():
        [where] = one["LoggingConfiguration"]["LogDestinationConfigs"]
        assert (where["LogType"], where["LogDestinationType"]) == ("ALERT", "S3"), name
        assert "Records" in json.dumps(where["LogDestination"]["bucketName"]), name
        assert where["LogDestination"]["prefix"] == "firewall", name
    [bucket] = [one for name, one in resources("AWS::S3::Bucket").items() if name.startswith("Watch/Records")]
    notices = {
        one["Filter"]["S3Key"]["Rules"][0]["Value"]: json.dumps(one["Queue"])
        for one in bucket["NotificationConfiguration"]["QueueConfigurations"]
    }
    assert set(notices) == {f"{one}/AWSLogs/{ACCOUNT}/" for one in ("flows", "firewall")}
    assert "NoticesNetworkFirewall" in notices[f"firewall/AWSLogs/{ACCOUNT}/"]
    [policy] = [one for name, one in resources("AWS::S3::BucketPolicy").items() if "Watch/Records" in name]
    written = [one for one in policy["PolicyDocument"]["Statement"] if one["Action"] == "s3:PutObject"
               and one.get("Principal") == {"Service": "delivery.logs.amazonaws.com"}]  # fmt: skip
    assert "/firewall/AWSLogs/" in json.dumps(written)
    assert all(one["Condition"]["StringEquals"]["aws:SourceAccount"] == ACCOUNT for one in written)


def test_notices_that_nobody_reads_are_told_of(resources) -> None:
    unread = [
        json.dumps(one["Dimensions"])
        for one in resources("AWS::CloudWatch::Alarm", "Watch").values()
        if one["MetricName"] == "ApproximateAgeOfOldestMessage" and one["Threshold"] == 3600
    ]
    for name in WATCHED:
        assert any(f"Notices{name.title().replace('-', '')}" in one for one in unread), name


def test_whoever_starts_the_operators_task_under_another_group_is_told_of_all_the_same(resources) -> None:
    [rule] = [one for one in resources("AWS::Events::Rule").values() if one["EventPattern"]["source"] == ["aws.ecs"]]
    detail = rule["EventPattern"]["detail"]
    assert "group" not in detail
    [by] = detail["taskDefinitionArn"]
    assert by["prefix"].endswith(f":{ACCOUNT}:task-definition/HeadShotlyOperator:")


def test_the_detector_hears_of_the_trail_of_findings_and_of_the_networks_traffic(resources) -> None:
    """Clause 8.2: what looks on is read by somebody."""
    told = {}
    for task in resources("AWS::ECS::TaskDefinition").values():
        [container] = task["ContainerDefinitions"]
        queues = {one["Name"]: one["Value"] for one in container["Environment"] if "STREAM__" in one["Name"]}
        assert bool(queues) is (container["Name"] == "detector")
        told |= queues
    options = {name.removeprefix("HEADSHOTLY_OPTION_").lower().replace("__", ".") for name in told}
    assert options == {"stream.region", *(f"stream.{name}.queue" for name in WATCHED)}
    # The same names the program reads.
    forms = (REPOSITORY / "headshotly" / "incidents" / "reading.py").read_text().split("FORMS = {")[1].split("}")[0]
    assert set(re.findall(r'"([a-z-]+)":', forms)) == set(WATCHED)
    heard = {
        re.sub(r"[0-9A-F]{8}$", "", name.split("/")[1]): one["NotificationConfiguration"]["QueueConfigurations"][0]
        for name, one in resources("AWS::S3::Bucket", "Watch").items()
    }
    assert "NoticesCloudtrail" in json.dumps(heard["Locked"]["Queue"])
    assert heard["Locked"]["Filter"]["S3Key"]["Rules"][0]["Value"] == f"AWSLogs/{ACCOUNT}/CloudTrail/"
    assert "NoticesVpcFlow" in json.dumps(heard["Records"]["Queue"])
    flows = [one for one in resources("AWS::EC2::FlowLog", "Watch").values() if one["LogDestinationType"] == "s3"]
    assert "/flows/" in json.dumps(flows[0]["LogDestination"])
    # What the rules look at, and no more: every record is a row of the detector's.
    assert flows[0]["TrafficType"] == "REJECT"
    rule = (REPOSITORY / "headshotly" / "incidents" / "sigma" / "port_scan.yml").read_text()
    assert re.search(r"product: aws\ndetection:\n    selection:\n        action: REJECT\n", rule)
    [everything] = resources("AWS::EC2::FlowLog", "Network").values()
    assert everything["TrafficType"] == "ALL"
    findings = [one for one in resources("AWS::Events::Rule").values()
                if one["EventPattern"]["source"] == ["aws.guardduty"]]  # fmt: skip
    assert {bool("severity" in one["EventPattern"].get("detail", {})) for one in findings} == {True, False}
    [all_] = [one for one in findings if "detail" not in one["EventPattern"]]
    assert "NoticesGuardduty" in json.dumps(all_["Targets"])


def test_whoever_writes_notices_may_seal_them_and_write_to_no_other_queue(resources) -> None:
    [key] = [key for name, key in resources("AWS::KMS::Key").items() if name.startswith("Keys/DataKey")]
    [sealing] = [one for one in key["KeyPolicy"]["Statement"] if one.get("Sid") == "Events"]
    assert set(sealing["Principal"]["Service"]) == {"events.amazonaws.com", "s3.amazonaws.com"}
    writers = {}
    for policy in resources("AWS::SQS::QueuePolicy").values():
        for one in policy["PolicyDocument"]["Statement"]:
            if one["Effect"] == "Allow":
                [queue] = policy["Queues"]
                writers[re.sub(r"[0-9A-F]{8}$", "", queue["Ref"])] = one["Principal"]["Service"], one["Condition"]
    assert {name: who for name, (who, _) in writers.items()} == {
        "NoticesCloudtrail": "s3.amazonaws.com",
        "NoticesVpcFlow": "s3.amazonaws.com",
        "NoticesNetworkFirewall": "s3.amazonaws.com",
        "NoticesGuardduty": "events.amazonaws.com",
    }
    for name, (_, condition) in writers.items():
        assert ACCOUNT in json.dumps(condition), f"{name} takes what another account sends"


def test_logs_are_kept_for_a_year_the_databases_own_too(resources) -> None:
    groups = resources("AWS::Logs::LogGroup")
    for name, group in groups.items():
        assert group["RetentionInDays"] == 365, name
    named = {group.get("LogGroupName") for group in groups.values()}
    clusters = resources("AWS::RDS::DBCluster")
    assert len(clusters) == 2
    for name, cluster in clusters.items():
        assert cluster["EnableCloudwatchLogsExports"] == ["postgresql"], name
        assert f"/aws/rds/cluster/{cluster['DBClusterIdentifier']}/postgresql" in named, name


def test_the_web_firewall_lets_photos_in_where_photos_belong_and_bad_bodies_nowhere_else(resources) -> None:
    [acl] = resources("AWS::WAFv2::WebACL").values()
    groups = {one["Name"]: one["Statement"]["ManagedRuleGroupStatement"] for one in acl["Rules"]
              if "ManagedRuleGroupStatement" in one["Statement"]}  # fmt: skip
    for group, rules in BODY_RULES.items():
        counted = {one["Name"] for one in groups[group]["RuleActionOverrides"] if one["ActionToUse"] == {"Count": {}}}
        assert set(rules) <= counted, group
    assert "SizeRestrictions_BODY" in json.dumps(groups["AWSManagedRulesCommonRuleSet"])
    [bodies] = [one for one in acl["Rules"] if one["Name"] == "bodies"]
    assert bodies["Action"] == {"Block": {}}
    assert bodies["Priority"] > max(one["Priority"] for one in acl["Rules"] if one["Name"] in groups), (
        "labels come first"
    )
    bad, elsewhere = bodies["Statement"]["AndStatement"]["Statements"]
    labels = {one["LabelMatchStatement"]["Key"] for one in bad["OrStatement"]["Statements"]}
    assert labels == {f"awswaf:managed:aws:{label}" for rules in BODY_RULES.values() for label in rules.values()}
    places = [one["RegexMatchStatement"]["RegexString"]
              for one in elsewhere["NotStatement"]["Statement"]["OrStatement"]["Statements"]]  # fmt: skip
    assert all(place.startswith("^/") for place in places)
    assert not [place for place in places if re.match(place, "/account/sign-in/") or re.match(place, "/studio/start/")]


def test_who_speaks_to_the_payment_service_has_its_key_from_the_secrets_store(resources) -> None:
    names = {"HEADSHOTLY_OPTION_STRIPE__SECRET_KEY", "HEADSHOTLY_OPTION_STRIPE__WEBHOOK_SECRET"}
    read = (REPOSITORY / "headshotly" / "orders" / "stripe_payments.py").read_text()
    for task in resources("AWS::ECS::TaskDefinition").values():
        [container] = task["ContainerDefinitions"]
        secrets = {one["Name"]: json.dumps(one["ValueFrom"]) for one in container.get("Secrets", [])}
        assert (names <= set(secrets)) is (container["Name"] in CASHIERS), container["Name"]
        for name in names & set(secrets):
            assert PLAN.stripe_secret in secrets[name]
            assert name.removeprefix("HEADSHOTLY_OPTION_").lower().replace("__", ".") in read
        assert "STRIPE" not in json.dumps(container["Environment"])


def test_a_release_leaves_the_number_of_tasks_to_autoscaling(resources) -> None:
    scaled = json.dumps(
        [one["ResourceId"] for one in resources("AWS::ApplicationAutoScaling::ScalableTarget").values()]
    )
    for name, service in resources("AWS::ECS::Service").items():
        logical = name.split("/")[1]
        assert ("DesiredCount" in service) is (logical not in scaled), name
    [gpu] = [one for name, one in resources("AWS::ECS::Service").items() if "GpuWorker" in name]
    assert gpu["DesiredCount"] == PLAN.gpu_workers == 1, "what the plan says, and no release takes away"


def test_the_guarded_programs_may_go_to_the_endpoints_in_our_own_network(resources) -> None:
    """Clause 9.1.b. Without it every call of the KMS, the queue and the mails is refused by the program's own guard."""
    inner = [one for one in resources("AWS::EC2::VPCEndpoint").values() if one["VpcEndpointType"] == "Interface"]
    assert all(one["PrivateDnsEnabled"] is True for one in inner)
    register = tomllib.loads((REPOSITORY / "headshotly" / "vendors" / "known.toml").read_text())
    for name, task in resources("AWS::ECS::TaskDefinition").items():
        [container] = task["ContainerDefinitions"]
        told = {one["Name"]: one["Value"] for one in container["Environment"]}
        [slug] = told["HEADSHOTLY_OPTION_VENDORS__PRIVATE"].split(",")
        for one in inner:
            service = one["ServiceName"].removeprefix("com.amazonaws.").split(".")
            host = f"{service[1]}.{service[0]}.amazonaws.com"
            assert any(fnmatch.fnmatch(host, pattern) for pattern in register[slug]["hosts"]), name


def test_the_first_deployment_starts_nothing_that_could_not_become_ready(tmp_path: Path) -> None:
    """Without tables and a register no program is ready; the circuit breaker would take the whole stack back."""
    app = cdk.App(outdir=str(tmp_path), context=FLAGS)
    stacks(app, dataclasses.replace(PLAN, founding=True))
    app.synth()
    made = json.loads((tmp_path / "HeadShotly-Service.template.json").read_text())["Resources"].values()
    counts = [one["Properties"]["DesiredCount"] for one in made if one["Type"] == "AWS::ECS::Service"]
    assert counts == [0] * 7
    assert not [one for one in made if one["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget"]
    assert [one for one in made if one["Type"] == "AWS::ECS::TaskDefinition"
            and one["Properties"].get("Family") == "HeadShotlyOperator"]  # fmt: skip


def test_the_program_keeps_connections_longer_than_the_load_balancer_does(resources) -> None:
    """Else the balancer sends a request into a connection that is just being closed, and answers 502."""
    [balancer] = resources("AWS::ElasticLoadBalancingV2::LoadBalancer").values()
    said = {one["Key"]: one["Value"] for one in balancer["LoadBalancerAttributes"]}
    idle = int(said["idle_timeout.timeout_seconds"])
    told = {}
    for task in resources("AWS::ECS::TaskDefinition").values():
        [container] = task["ContainerDefinitions"]
        told[container["Name"]] = {one["Name"]: one["Value"] for one in container["Environment"]}
    assert int(told["web"]["HEADSHOTLY_OPTION_WEB__KEEPALIVE_SECONDS"]) > idle
    assert not [room for room in told if room != "web" and "HEADSHOTLY_OPTION_WEB__KEEPALIVE_SECONDS" in told[room]]
    [web] = [one for one in resources("AWS::ECS::Service").values() if one.get("LoadBalancers")]
    assert web["HealthCheckGracePeriodSeconds"] >= 120


def test_the_operators_task_signs_in_as_whoever_owns_the_databases(resources) -> None:
    """A name that PostgreSQL has a word for is refused when the cluster is made (“reserved word”)."""
    owners = {cluster["MasterUsername"] for cluster in resources("AWS::RDS::DBCluster").values()}
    assert owners == {OWNER}
    assert re.fullmatch(r"[a-z]+_[a-z]+", OWNER)
    assert OWNER not in ROOMS
    for task in resources("AWS::ECS::TaskDefinition").values():
        [container] = task["ContainerDefinitions"]
        told = {one["Name"]: json.dumps(one["Value"]) for one in container["Environment"]}
        user = OWNER if container["Name"] == OPERATOR else container["Name"]
        for name in ("HEADSHOTLY_DATABASE_URL", "HEADSHOTLY_KEYS_DATABASE_URL"):
            assert f"postgresql://{user}@" in told[name], container["Name"]


def test_the_quota_to_ask_for_is_what_is_deployed(resources) -> None:
    cpu = {one["ContainerDefinitions"][0]["Name"]: int(one["Cpu"]) / 1024
           for one in resources("AWS::ECS::TaskDefinition").values() if "Cpu" in one}  # fmt: skip
    first = cpu[OPERATOR] + sum(cpu[room] * least for room, (_, _, _, least) in TASKS.items())
    most = first + cpu["web"] * (PLAN.web_max - 2) + cpu["worker"] * (PLAN.worker_max - 2)
    text = (REPOSITORY / "infra" / "README.md").read_text()
    assert f"starts with {first:.0f} and grows to {most:.0f} " in text


def test_no_stack_is_deleted_by_one_command(assembly) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    found = {name: one["properties"].get("terminationProtection") for name, one in artifacts.items()
             if one["type"] == "aws:cloudformation:stack"}  # fmt: skip
    assert found == dict.fromkeys(found, True)
    assert len(found) == 7


def test_whoever_deploys_is_told_how_the_operators_task_starts_and_where_the_domain_points(templates) -> None:
    said = {name: json.dumps(one["Value"]) for name, one in templates["Service"]["Outputs"].items()}
    command = said["StartTheOperatorsTask"]
    assert "--task-definition HeadShotlyOperator" in command
    assert "OperatorsNetwork" in command
    network = json.dumps(templates["Network"]["Outputs"]["OperatorsNetwork"]["Value"])
    assert "OperatorGroup" in network
    assert network.count("tasksSubnet") == 2
    assert "DNSName" in said["PointTheDomainTo"]


def test_where_programs_go_outside_and_who_stands_on_the_register_of_vendors_agree() -> None:
    """Clause 9.1.b: a name that the firewall lets out and the gate does not is a hole; the other way, a failure."""
    register = tomllib.loads((REPOSITORY / "headshotly" / "vendors" / "known.toml").read_text())
    known = [pattern for one in register.values() for pattern in one["hosts"]]
    for name in WAYS_OUT:
        assert any(fnmatch.fnmatch(name, pattern) for pattern in known), name
    plan = Plan.__dataclass_fields__
    for region in (plan["primary"].default, plan["secondary"].default):
        assert f"*.{region}.amazonaws.com" in register["aws"]["hosts"], region


@pytest.mark.parametrize(("said", "meant"), [("true", True), ("false", False), (True, True), (None, False)])
def test_what_a_command_line_says_is_taken_as_meant(said: object, meant: bool) -> None:
    given = {name: getattr(PLAN, name) for name in ("account", "certificate", "image", "s3_prefix_list")}
    more = {} if said is None else {"with_gpu": said}
    made = plan_of(cdk.App(context={**given, **more, "web_max": "3"}))
    assert made.with_gpu is meant
    assert made.web_max == 3


def test_what_is_neither_true_nor_false_is_refused() -> None:
    with pytest.raises(ValueError, match="true or false"):
        plan_of(cdk.App(context={"account": ACCOUNT, "founding": "maybe"}))
