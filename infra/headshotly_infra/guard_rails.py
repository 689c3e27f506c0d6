"""What nobody in the account may do, however much they may: leave the EU, open a bucket, stop the trail (2.2.a)."""

from aws_cdk import Stack
from aws_cdk import aws_organizations as organizations
from constructs import Construct

from headshotly_infra.plan import EU_REGIONS, Plan

# Services that have no region, or only one outside the Union; without them nobody signs in, pays or asks for help.
WITHOUT_REGION = ["account:*", "aws-portal:*", "billing:*", "budgets:*", "ce:*", "cloudfront:*",
                  "consolidatedbilling:*", "cur:*", "freetier:*", "health:*", "iam:*", "invoicing:*",
                  "organizations:*", "payments:*", "pricing:*", "route53:*", "route53domains:*",
                  "s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets", "shield:*", "sts:*", "support:*",
                  "supportplans:*", "tax:*", "trustedadvisor:*"]  # fmt: skip
# What makes our buckets, with every door shut: the role that CloudFormation takes when AWS CDK deploys.
DEPLOYER = "arn:aws:iam::*:role/cdk-*-cfn-exec-role-*"


class GuardRails(Stack):
    """A service control policy; deployed in the organisation's management account."""

    def __init__(self, scope: Construct, name: str, *, plan: Plan, **given: object) -> None:
        """Make the policy and attach it.

        Args:
            scope: the app.
            name: of the stack.
            plan: names the organisational unit.
            given: what ``Stack`` takes.
        """
        super().__init__(scope, name, **given)  # type: ignore[arg-type]
        organizations.CfnPolicy(
            self,
            "OnlyTheUnion",
            name="headshotly-guard-rails",
            type="SERVICE_CONTROL_POLICY",
            description="Only regions of the European Union; no stopping of what looks on.",
            content=document(),
            target_ids=[plan.organisation_unit],
        )


def document() -> dict[str, object]:
    """Return the policy document."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyTheEuropeanUnion",
                "Effect": "Deny",
                "NotAction": WITHOUT_REGION,
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:RequestedRegion": sorted(EU_REGIONS)}},
            },
            {
                "Sid": "NobodyStopsWhatLooksOn",
                "Effect": "Deny",
                "Action": [
                    "cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail",
                    "config:DeleteConfigurationRecorder", "config:StopConfigurationRecorder",
                    "guardduty:DeleteDetector", "guardduty:DisassociateFromMasterAccount",
                    "ec2:DeleteFlowLogs", "network-firewall:DeleteFirewall",
                ],
                "Resource": "*",
            },
            {
                "Sid": "NobodyOpensABucket",
                "Effect": "Deny",
                "Action": ["s3:PutAccountPublicAccessBlock", "s3:PutBucketPublicAccessBlock"],
                "Resource": "*",
                "Condition": {
                    "Bool": {"aws:PrincipalIsAWSService": "false"},
                    "ArnNotLike": {"aws:PrincipalArn": DEPLOYER},
                },
            },
        ],
    }  # fmt: skip
