"""Exceptions to the checks: each with its reason and a day on which it ends. An expired one is none."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk


@dataclass(frozen=True, slots=True)
class Suppression:
    """One rule not followed in one stack.

    Attributes:
        stack: name as in ``deployment.stacks``.
        rule: id of the rule.
        reason: why, in plain words.
        until: first day on which it no longer holds.
    """

    stack: str
    rule: str
    reason: str
    until: dt.date


_NEXT = dt.date(2027, 5, 31)
_OBJECTS = "The names of objects are made as they are written; the bucket is the finest thing that can be named."
_MANAGED = "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
_AWS_MANAGED = "The role of a service of AWS, for which AWS asks for this policy of its own."

EXCEPTIONS: tuple[Suppression, ...] = (
    Suppression("network", "AwsSolutions-EC23", "The load balancer is the one door that is open to everybody.", _NEXT),
    *(
        Suppression("data", f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/*]", _OBJECTS, _NEXT)
        for bucket in ("BackupDA3807AC", "BackupMirrorC019463F", "ObjectsA92BA4F1", "Witness5C2207A9")
    ),
    *(
        Suppression("data", f"AwsSolutions-IAM5[Resource::{place}/keys/*]", _OBJECTS, _NEXT)
        for place in ("<BackupDA3807AC.Arn>", "arn:aws:s3:::{second}")
    ),
    Suppression("data", "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:s3:::{copies}/*]", _OBJECTS, _NEXT),
    *(
        Suppression("data", f"AwsSolutions-IAM5[Resource::arn:aws:s3:::{{{name}}}/*]", _OBJECTS, _NEXT)
        for name in ("second", "mirror")
    ),
    Suppression(
        "data",
        "AwsSolutions-IAM5[Resource::*]",
        "To list the names of keys has no resource to name.",
        _NEXT,
    ),
    Suppression(
        "data",
        "AwsSolutions-IAM5[Resource::arn:aws:kms:{secondary}:{account}:key/*]",
        "The key of the second region is known here by its alias alone, and a condition holds it to that.",
        _NEXT,
    ),
    Suppression("keys", "AwsSolutions-IAM5[Resource::*]", "A key that is about to be made has no name yet.", _NEXT),
    *(
        Suppression(
            "keys",
            f"AwsSolutions-IAM5[Resource::arn:aws:kms:{{primary}}:{{account}}:{name}]",
            "Root keys come and go with their epochs, so their names end in an id; only the operator's task may.",
            _NEXT,
        )
        for name in ("alias/headshotly/root/*", "alias/headshotly/backup/*", "key/*")
    ),
    Suppression(
        "service",
        "AwsSolutions-IAM5[Resource::arn:aws:ecs:{primary}:{account}:task-definition/HeadShotlyOperator:*]",
        "Every release makes a new version of the operator's task; all of them are it.",
        _NEXT,
    ),
    Suppression(
        "service",
        "AwsSolutions-IAM5[Resource::*]",
        "Signing in to the registry has no resource to name, and neither has a machine's report to its cluster.",
        _NEXT,
    ),
    Suppression(
        "service",
        "AwsSolutions-ECS2",
        "What tasks are told are names and addresses; databases, KMS and S3 know a task by its role, so there is no "
        "secret to hide.",
        _NEXT,
    ),
    Suppression(
        "service",
        f"{_MANAGED}AmazonEC2ContainerServiceforEC2Role]",
        _AWS_MANAGED,
        _NEXT,
    ),
    Suppression("service", "AwsSolutions-IAM5[Action::ecs:Submit*]", _AWS_MANAGED, _NEXT),
    Suppression(
        "service",
        "AwsSolutions-AS3",
        "Machines with a GPU come and go with the queue; an alarm for each would teach people to ignore alarms.",
        _NEXT,
    ),
    *(
        Suppression("watch", rule, _AWS_MANAGED, _NEXT)
        for rule in (
            f"{_MANAGED}AWS_ConfigRole]",
            f"{_MANAGED}AWSBackupServiceRolePolicyForBackup]",
            "AwsSolutions-IAM5[Action::s3:Abort*]",
            "AwsSolutions-IAM5[Resource::<Records091F6ECA.Arn>/config/*]",
            "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
            "AwsSolutions-IAM5[Action::kms:ReEncrypt*]",
        )
    ),
    *(
        Suppression("watch", f"AwsSolutions-IAM5[Resource::<{place}/*]", _OBJECTS, _NEXT)
        for place in (
            "Locked5B6A0654.Arn>/AWSLogs/{account}/CloudTrail",
            "Records091F6ECA.Arn>/flows/AWSLogs/{account}",
            "Records091F6ECA.Arn>/firewall/AWSLogs/{account}",
        )
    ),
)


# The same for cfn-lint: what AWS CDK itself writes so.
LINT_EXCEPTIONS: tuple[Suppression, ...] = (
    Suppression("*", "W3005", "AWS CDK writes a dependency twice where a reference makes one already.", _NEXT),
)


def suppress(stacks: Mapping[str, cdk.Stack], today: dt.date, **names: str) -> None:
    """Tell cdk-nag of every exception that holds today; ``names`` fill what a rule leaves open, such as a bucket."""
    for one in EXCEPTIONS:
        if one.stack in stacks and today < one.until:
            cdk.Validations.of(stacks[one.stack]).acknowledge(
                cdk.Acknowledgment(id=_filled(one.rule, names), reason=f"{one.reason} Until {one.until}.")
            )


def _filled(rule: str, names: Mapping[str, str]) -> str:
    for name, value in names.items():
        rule = rule.replace(f"{{{name}}}", value)
    return rule
