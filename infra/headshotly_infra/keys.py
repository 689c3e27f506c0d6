"""Keys in the KMS, one for each purpose, each usable only by the roles that need it (clauses 2.4.a, 3.2.b)."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from headshotly_infra.alarm_topic import let_alarms_use

ROOMS = ("web", "worker", "sequencer", "sender", "detector", "duties")
# Nobody's task until somebody starts it: migrations, roles, a restore, a new epoch of the root key.
OPERATOR = "operator"
# purpose → the tasks that may use the key
USERS: dict[str, tuple[str, ...]] = {
    "root": ("web", "worker", "duties", "sender", OPERATOR),  # wraps customer keys
    "disk": (),  # of the disk that tasks share
    "data": (),  # of databases, queues and buckets; used by the services of AWS on their behalf
    "backup": ("duties", OPERATOR),
    "logs": (),
}
# It opens the address and the secret of an endpoint, and seals nothing.
UNWRAPS_ALONE = ("sender",)
# The secrets of backups change their root without leaving the KMS.
RE_ENCRYPT = {("backup", OPERATOR): ("kms:ReEncryptFrom", "kms:ReEncryptTo")}


class Keys(Stack):
    """Keys and task roles; together, because a key's policy names the roles and nobody else."""

    def __init__(self, scope: Construct, name: str, *, rotation_days: int = 365, **given: object) -> None:
        """Make every role and every key.

        Args:
            scope: the app.
            name: of the stack.
            rotation_days: how often the KMS changes a key's material by itself.
            given: what ``Stack`` takes.
        """
        super().__init__(scope, name, **given)  # type: ignore[arg-type]
        self.roles = {
            room: iam.Role(
                self,
                f"{room.capitalize()}Task",
                assumed_by=iam.ServicePrincipal(
                    "ecs-tasks.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
                ),
                description=f"What {room} tasks may do",
            )
            for room in (*ROOMS, OPERATOR)
        }
        self.keys = {purpose: self._key(purpose, users, rotation_days) for purpose, users in USERS.items()}
        for purpose in (purpose for purpose, users in USERS.items() if users):
            self._name(purpose)
        self._epochs()

    def _epochs(self) -> None:
        """Let the operator make and retire root keys, under our names alone; a new one inherits the old policy."""
        here = f"arn:aws:kms:{self.region}:{self.account}"
        names = [f"{here}:alias/headshotly/{purpose}/*" for purpose in ("root", "backup")]
        ours = {
            "ForAnyValue:StringLike": {"kms:ResourceAliases": ["alias/headshotly/root/*", "alias/headshotly/backup/*"]}
        }
        new = {"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT",
                                "kms:KeyOrigin": "AWS_KMS"}, "Bool": {"kms:MultiRegion": "false"}}  # fmt: skip
        every = f"{here}:key/*"
        given: tuple[tuple[list[str], list[str], dict[str, object] | None], ...] = (
            (["kms:CreateKey"], ["*"], new),
            (["kms:ListAliases"], ["*"], None),
            (["kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"], [*names, every], None),
            # A key that was made a moment ago has no name yet.
            (["kms:EnableKeyRotation"], [every], None),
            (["kms:GetKeyPolicy", "kms:ScheduleKeyDeletion"], [every], ours),
        )
        statements = [iam.PolicyStatement(actions=acts, resources=on, conditions=when) for acts, on, when in given]
        iam.Policy(self, "MayMakeEpochs", statements=statements, roles=[self.roles[OPERATOR]])

    def _name(self, purpose: str) -> None:
        """Give a root key the names ``vault.aws_keys`` looks for: of the one that wraps, and of one of the living."""
        key = self.keys[purpose]
        for name in ("current", f"root/{key.key_id}"):
            kms.CfnAlias(
                self,
                f"{purpose.capitalize()}{'Current' if name == 'current' else 'Living'}",
                alias_name=f"alias/headshotly/{purpose}/{name}",
                target_key_id=key.key_arn,
            )

    def _administration_alone(self) -> iam.PolicyDocument:
        """Return a policy under which the account may look after a key, and may not use it."""
        return iam.PolicyDocument(
            statements=[
                iam.PolicyStatement(
                    sid="AdministrationWithoutUse",
                    principals=[iam.AccountRootPrincipal()],
                    actions=[
                        # Never kms:CreateGrant: a grant may give the use away that this policy keeps back.
                        "kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias", "kms:Describe*", "kms:Enable*",
                        "kms:List*", "kms:Put*", "kms:UpdateKeyDescription", "kms:Disable*", "kms:GetKeyPolicy",
                        "kms:GetKeyRotationStatus", "kms:TagResource", "kms:UntagResource",
                        "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion", "kms:RotateKeyOnDemand",
                    ],
                    resources=["*"],
                )
            ]
        )  # fmt: skip

    def _key(self, purpose: str, users: tuple[str, ...], rotation_days: int) -> kms.Key:
        key = kms.Key(
            self,
            f"{purpose.capitalize()}Key",
            alias=f"headshotly/{purpose}",
            enable_key_rotation=True,
            rotation_period=Duration.days(rotation_days),
            pending_window=Duration.days(30),
            removal_policy=RemovalPolicy.RETAIN,
            policy=self._administration_alone() if users else None,
        )
        for user in users:
            # The context binds a wrapped key to its owner; without one KMS would unwrap anything for anybody's row.
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"{'Unwrap' if user in UNWRAPS_ALONE else 'Wrap'}{user.capitalize()}",
                    principals=[self.roles[user]],
                    actions=["kms:Decrypt"]
                    if user in UNWRAPS_ALONE
                    else ["kms:Encrypt", "kms:Decrypt", *RE_ENCRYPT.get((purpose, user), ())],
                    resources=["*"],
                    conditions={"Null": {"kms:EncryptionContextKeys": "false"}},
                )
            )
            if user in UNWRAPS_ALONE:
                continue
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"Look{user.capitalize()}",
                    principals=[self.roles[user]],
                    actions=["kms:DescribeKey"],
                    resources=["*"],
                )
            )
        if purpose == "data":
            # Alarms go to a sealed topic, events and notices of new logs to sealed queues.
            let_alarms_use(key, self.account)
            # These two name no account when a queue or topic asks the KMS for them; queue and topic say who may write.
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="Events",
                    principals=[iam.ServicePrincipal(f"{one}.amazonaws.com") for one in ("events", "s3")],
                    actions=["kms:GenerateDataKey*", "kms:Decrypt"],
                    resources=["*"],
                )
            )
        if purpose == "logs":
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="CloudWatchLogs",
                    principals=[iam.ServicePrincipal(f"logs.{self.region}.amazonaws.com")],
                    actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                    resources=["*"],
                    conditions={
                        "ArnLike": {
                            "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{self.region}:{self.account}:*"
                        }
                    },
                )
            )
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="Trail",
                    principals=[iam.ServicePrincipal("cloudtrail.amazonaws.com")],
                    actions=["kms:GenerateDataKey*", "kms:DescribeKey"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                )
            )
            key.add_to_resource_policy(
                iam.PolicyStatement(
                    sid="FlowLogs",
                    principals=[iam.ServicePrincipal("delivery.logs.amazonaws.com")],
                    actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                    resources=["*"],
                    conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                )
            )
        return key
