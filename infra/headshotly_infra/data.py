"""Databases, buckets and the queue: sealed, in the European Union, reachable by no one outside (3.2, 6.1, 8.2)."""

from typing import cast

from aws_cdk import Duration, RemovalPolicy, SecretValue, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from headshotly_infra.alarm_topic import let_alarms_use, topic_of_alarms
from headshotly_infra.disk import Disk
from headshotly_infra.keys import OPERATOR, ROOMS, Keys
from headshotly_infra.network import Network

# Of the databases. No word of SQL's: AWS refuses those that PostgreSQL knows.
OWNER = "headshotly_owner"
WITNESS_DAYS = 3650
BACKUP_DAYS = 35
# What a change of the backups' root key writes, and nothing else of a backup.
WRAPPINGS = "keys/*"
WRAPPING_ACTS = ("s3:PutObject", "s3:PutObjectRetention")
BACKUP_ACTS = ("s3:PutObject", "s3:PutObjectRetention", "s3:GetObject", "s3:DeleteObject", "s3:DeleteObjectVersion",
               "s3:AbortMultipartUpload")  # fmt: skip
MIRROR_ACTS = ("s3:PutObject", "s3:GetObject", "s3:DeleteObject")
# bucket → task → what it may do with an object. Nobody may do anything not listed; nobody deletes from the witness.
# A backup is pruned once its time is over: until then the lock refuses, whoever asks.
BUCKET_ACTS: dict[str, dict[str, tuple[str, ...]]] = {
    "objects": {
        "web": ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"),
        "worker": ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"),
        "duties": ("s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"),
        # A restore writes objects and deletes those of whoever was erased since the backup.
        OPERATOR: ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"),
    },
    # A restore begins an era of the witness. Duties hold the journal against every version of every head.
    "witness": {
        "sequencer": ("s3:PutObject", "s3:PutObjectRetention", "s3:GetObject"),
        "duties": ("s3:GetObject", "s3:GetObjectVersion"),
        OPERATOR: ("s3:PutObject", "s3:PutObjectRetention", "s3:GetObject", "s3:GetObjectVersion"),
    },
    "backup": {"duties": BACKUP_ACTS, OPERATOR: ("s3:GetObject",)},
    "mirror": {"duties": MIRROR_ACTS, OPERATOR: ("s3:GetObject",)},
}
# … and with the bucket itself.
_LOOKS = ("s3:ListBucket", "s3:GetBucketVersioning", "s3:ListBucketMultipartUploads")
BUCKET_LOOKS: dict[str, tuple[str, ...]] = {
    "objects": _LOOKS,
    "witness": ("s3:ListBucket", "s3:ListBucketVersions"),
    "backup": (*_LOOKS, "s3:ListBucketVersions", "s3:GetBucketObjectLockConfiguration"),
    "mirror": ("s3:ListBucket", "s3:GetBucketVersioning"),
}
# Whether the queue answers, every program that uses it may ask.
QUEUE_ACTS: dict[str, tuple[str, ...]] = {
    "web": ("sqs:SendMessage", "sqs:GetQueueAttributes"),
    "worker": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:SendMessage",
               "sqs:GetQueueAttributes"),
    # They announce again what waits without an order, and count the dead letters.
    "duties": ("sqs:SendMessage", "sqs:GetQueueAttributes"),
    OPERATOR: ("sqs:SendMessage", "sqs:GetQueueAttributes"),
}  # fmt: skip
COUNT_DEAD_LETTERS = ("duties", OPERATOR)
# What the service's own SIEM reads of AWS: the names are those of ``headshotly.incidents.reading.FORMS``.
WATCHED = ("cloudtrail", "guardduty", "vpc-flow", "network-firewall")
COPY_RULE = "second-region"


class Data(Stack):
    """What is kept. Objects are never versioned: a deleted photo must be gone. Witness and backups are locked."""

    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        network: Network,
        keys: Keys,
        copy_to: str,
        copy_from: str,
        second_store: tuple[str, str],
        **given: object,
    ) -> None:
        """Make databases, buckets and the queue.

        Args:
            scope: the app.
            name: of the stack.
            network: where the databases stand.
            keys: what seals everything here.
            copy_to: name of the bucket in the second region that backups are copied to.
            copy_from: name of the bucket of backups here; fixed, because the alarm of the second region must name it.
            second_store: names of the bucket and of its mirror in the second region that backups are written to.
            given: what ``Stack`` takes.
        """
        super().__init__(scope, name, **given)  # type: ignore[arg-type]
        self._key, self._log_key = keys.keys["data"], keys.keys["logs"]
        self._given, self.copy_to = 0, copy_to
        # The customers' wrapped keys live in a cluster of their own, which no backup that keeps history covers.
        self.database = self._cluster("Main", network, backup_days=BACKUP_DAYS)
        self.key_store = self._cluster("Keys", network, backup_days=1)
        self.access_logs = self._bucket("AccessLogs", expires=400)
        self.buckets = {
            "objects": self._bucket("Objects", logs=True),
            "witness": self._bucket("Witness", logs=True, locked_for=WITNESS_DAYS),
            "backup": self._bucket("Backup", logs=True, locked_for=BACKUP_DAYS, called=copy_from),
            # Keys of customers beside their backups, without versions: a key destroyed is gone here as well.
            "mirror": self._bucket("BackupMirror", logs=True),
        }
        self._copies(copy_to)
        for bucket, acts in BUCKET_ACTS.items():
            for room, allowed in acts.items():
                self._allow(self.buckets[bucket], keys, room, allowed, BUCKET_LOOKS[bucket])
        self._may(keys, OPERATOR, WRAPPING_ACTS, self.buckets["backup"].arn_for_objects(WRAPPINGS))
        self._second_store(keys, *second_store)
        self.disk = Disk(self, "Disk", network=network, keys=keys)
        self.dead_letters = self._queue("DeadLetters", self._key)
        self.queue = self._queue("Jobs", self._key, dead=self.dead_letters)
        for room, acts in QUEUE_ACTS.items():
            self._may(keys, room, acts, self.queue.queue_arn)
            if room in COUNT_DEAD_LETTERS:
                self._may(keys, room, ("sqs:GetQueueAttributes",), self.dead_letters.queue_arn)
        self._notices(keys)
        for room in ROOMS:
            users = [self.database] if room in {"sequencer", "detector"} else [self.database, self.key_store]
            for cluster in users:
                self._may(keys, room, ("rds-db:connect",), self._signs_in(cluster, room))
        # Makes the databases of restore exercises, and enters none of the living ones (ADR 152).
        self._may(keys, "duties", ("rds-db:connect",), self._signs_in(self.database, "drill"))

    def _signs_in(self, cluster: rds.DatabaseCluster, role: str) -> str:
        user = f"{cluster.cluster_resource_identifier}/{role}"
        return f"arn:aws:rds-db:{self.region}:{self.account}:dbuser:{user}"

    def owner_password(self, cluster: rds.DatabaseCluster) -> secretsmanager.ISecret:
        """Return the secret in which AWS keeps the password of a cluster's owner."""
        plain = cast("rds.CfnDBCluster", cluster.node.default_child)
        return secretsmanager.Secret.from_secret_complete_arn(
            self, f"{cluster.node.id}Owner", plain.attr_master_user_secret_secret_arn
        )

    def _cluster(self, name: str, network: Network, *, backup_days: int) -> rds.DatabaseCluster:
        engine = rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_17_9)
        parameters = rds.ParameterGroup(
            self,
            f"{name}Parameters",
            engine=engine,
            parameters={"rds.force_ssl": "1", "ssl_min_protocol_version": "TLSv1.2", "log_connections": "1"},
        )
        identifier = f"headshotly-{name.lower()}"
        # Made before the database, which else makes one by itself that keeps everything for ever.
        log = logs.LogGroup(
            self,
            f"{name}DatabaseLog",
            log_group_name=f"/aws/rds/cluster/{identifier}/postgresql",
            retention=logs.RetentionDays.ONE_YEAR,
            encryption_key=self._log_key,
            removal_policy=RemovalPolicy.RETAIN,
        )
        cluster = rds.DatabaseCluster(
            self,
            f"{name}Database",
            cluster_identifier=identifier,
            engine=engine,
            default_database_name={"Main": "headshotly", "Keys": "headshotly_keys"}[name],
            parameter_group=parameters,
            writer=rds.ClusterInstance.serverless_v2("writer", publicly_accessible=False),
            readers=[rds.ClusterInstance.serverless_v2("reader", scale_with_writer=True, publicly_accessible=False)],
            serverless_v2_min_capacity=0.5,
            serverless_v2_max_capacity=16,
            credentials=rds.Credentials.from_password(OWNER, SecretValue.unsafe_plain_text("replaced below")),
            iam_authentication=True,
            storage_encrypted=True,
            storage_encryption_key=self._key,
            backup=rds.BackupProps(retention=Duration.days(backup_days)),
            copy_tags_to_snapshot=True,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
            cloudwatch_logs_exports=["postgresql"],
            vpc=network.vpc,
            vpc_subnets=network.data,
            security_groups=[self._group(network, "database", name)],
            port=5432,
        )
        cluster.node.add_dependency(log)
        # The database makes, keeps and changes this password by itself; nobody but an operator under a grant reads it.
        plain = cast("rds.CfnDBCluster", cluster.node.default_child)
        plain.add_property_deletion_override("MasterUserPassword")
        plain.manage_master_user_password = True
        plain.master_user_secret = rds.CfnDBCluster.MasterUserSecretProperty(kms_key_id=self._key.key_arn)
        return cluster

    def _group(self, network: Network, room: str, name: str) -> ec2.ISecurityGroup:
        """Return a group that nothing here can open further; every way stands in ``Network``."""
        group_id = network.groups[room].security_group_id
        return ec2.SecurityGroup.from_security_group_id(self, f"{name}{room.title()}Group", group_id, mutable=False)

    def _bucket(
        self, name: str, *, logs: bool = False, locked_for: int = 0, expires: int = 0, called: str | None = None
    ) -> s3.Bucket:
        """Return a bucket that speaks only TLS, is public to nobody, and is versioned only where it is locked."""
        plain = name == "AccessLogs"  # the log delivery of S3 and of load balancers takes no key of one's own
        return s3.Bucket(
            self,
            name,
            bucket_name=called,
            encryption=s3.BucketEncryption.S3_MANAGED if plain else s3.BucketEncryption.KMS,
            encryption_key=None if plain else self._key,
            bucket_key_enabled=None if plain else True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=bool(locked_for),
            object_lock_enabled=bool(locked_for),
            object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(locked_for))
            if locked_for
            else None,
            server_access_logs_bucket=self.access_logs if logs else None,
            server_access_logs_prefix=f"s3/{name.lower()}/" if logs else None,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                    expiration=Duration.days(expires) if expires else None,
                )
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _copies(self, copy_to: str) -> None:
        """Copy every backup to the second region as it is written."""
        role = iam.Role(self, "CopyRole", assumed_by=iam.ServicePrincipal("s3.amazonaws.com"))
        source = self.buckets["backup"]
        target = s3.Bucket.from_bucket_name(self, "CopyTarget", copy_to)
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetReplicationConfiguration", "s3:ListBucket"], resources=[source.bucket_arn]
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging",
                         "s3:GetObjectRetention", "s3:GetObjectLegalHold"],
                resources=[source.arn_for_objects("*")],
            )
        )  # fmt: skip
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"],
                resources=[target.arn_for_objects("*")],
            )
        )
        self._key.grant_decrypt(role)
        # Without this every copy fails, and S3 says so in the object's own status only.
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["kms:Encrypt", "kms:GenerateDataKey"],
                resources=[f"arn:aws:kms:{self.copy_region}:{self.account}:key/*"],
                conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/headshotly/copies"}},
            )
        )
        plain = cast("s3.CfnBucket", source.node.default_child)
        plain.replication_configuration = s3.CfnBucket.ReplicationConfigurationProperty(
            role=role.role_arn,
            rules=[
                s3.CfnBucket.ReplicationRuleProperty(
                    id=COPY_RULE,
                    status="Enabled",
                    priority=1,
                    filter=s3.CfnBucket.ReplicationRuleFilterProperty(prefix=""),
                    delete_marker_replication=s3.CfnBucket.DeleteMarkerReplicationProperty(status="Disabled"),
                    source_selection_criteria=s3.CfnBucket.SourceSelectionCriteriaProperty(
                        sse_kms_encrypted_objects=s3.CfnBucket.SseKmsEncryptedObjectsProperty(status="Enabled")
                    ),
                    destination=s3.CfnBucket.ReplicationDestinationProperty(
                        bucket=target.bucket_arn,
                        metrics=s3.CfnBucket.MetricsProperty(
                            status="Enabled"
                        ),  # without these no alarm hears of a copy
                        encryption_configuration=s3.CfnBucket.EncryptionConfigurationProperty(
                            replica_kms_key_id=f"arn:aws:kms:{self.copy_region}:{self.account}:alias/headshotly/copies"
                        ),
                    ),
                )
            ],
        )

    @property
    def copy_region(self) -> str:
        """Return the second region, as the app was told."""
        region: str = self.node.get_context("secondary")
        return region

    def _second_store(self, keys: Keys, store: str, mirror: str) -> None:
        """Let the duties write backups to the second region too, and read which root keys there are."""
        self.backup_stores = ",".join(
            f"s3:{bucket}|{its_mirror}@{region}"
            for bucket, its_mirror, region in (
                (self.buckets["backup"].bucket_name, self.buckets["mirror"].bucket_name, self.region),
                (store, mirror, self.copy_region),
            )
        )
        for name, bucket in (("backup", store), ("mirror", mirror)):
            for room, acts in BUCKET_ACTS[name].items():
                self._may(keys, room, acts, f"arn:aws:s3:::{bucket}/*")
                self._may(keys, room, BUCKET_LOOKS[name], f"arn:aws:s3:::{bucket}")
        self._may(keys, OPERATOR, WRAPPING_ACTS, f"arn:aws:s3:::{store}/{WRAPPINGS}")
        for room in ("duties", OPERATOR):
            self._may(
                keys,
                room,
                ("kms:GenerateDataKey", "kms:Decrypt"),
                f"arn:aws:kms:{self.copy_region}:{self.account}:key/*",
                {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/headshotly/copies"}},
            )
        self._may(keys, "duties", ("kms:ListAliases",), "*")

    def _allow(self, bucket: s3.Bucket, keys: Keys, room: str, acts: tuple[str, ...], looks: tuple[str, ...]) -> None:
        self._may(keys, room, acts, bucket.arn_for_objects("*"))
        self._may(keys, room, looks, bucket.bucket_arn)
        self._may(keys, room, ("kms:GenerateDataKey", "kms:Decrypt"), self._key.key_arn)

    def _may(
        self, keys: Keys, room: str, acts: tuple[str, ...], resource: str,
        conditions: dict[str, object] | None = None,
    ) -> None:  # fmt: skip
        """Give a task exactly these acts on exactly this resource; written here, so that ``Keys`` knows nothing."""
        self._given += 1
        statement = iam.PolicyStatement(actions=list(acts), resources=[resource], conditions=conditions)
        iam.Policy(self, f"May{self._given}", statements=[statement], roles=[keys.roles[room]])

    def _notices(self, keys: Keys) -> None:
        """Make a queue for each thing of AWS that the detector reads: what is new in a bucket, and findings."""
        self.notices_lost = self._queue("NoticesLost", self._key)
        self.notices = {
            name: self._queue(f"Notices{name.title().replace('-', '')}", self._key, dead=self.notices_lost)
            for name in WATCHED
        }
        for name, queue in self.notices.items():
            from_rules = name == "guardduty"
            source = f"arn:aws:events:{self.region}:{self.account}:rule/*" if from_rules else "arn:aws:s3:::*"
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal(f"{'events' if from_rules else 's3'}.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={
                        "ArnLike": {"aws:SourceArn": source},
                        # A rule's own name holds its account; a bucket's does not.
                        **({} if from_rules else {"StringEquals": {"aws:SourceAccount": self.account}}),
                    },
                )
            )
            self._may(keys, "detector", ("sqs:ReceiveMessage", "sqs:DeleteMessage"), queue.queue_arn)
        self._may(keys, "detector", ("kms:Decrypt",), self._key.key_arn)

    def _queue(self, name: str, key: kms.IKey, *, dead: sqs.Queue | None = None) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            visibility_timeout=Duration.minutes(2),
            retention_period=Duration.days(14),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=4) if dead else None,
            removal_policy=RemovalPolicy.RETAIN,
        )


def copying(source: str, target: str) -> dict[str, str]:
    """Return under which dimensions S3 counts what it copies.

    Args:
        source: name of the bucket it copies from.
        target: name of the bucket it copies to.
    """
    return {"SourceBucket": source, "DestinationBucket": target, "RuleId": COPY_RULE}


class Copies(Stack):
    """The second region, under a key of its own: copies that S3 makes, and the second store that the service writes."""

    def __init__(
        self, scope: Construct, name: str, *, bucket_name: str, store: str, mirror: str, copied_from: str,
        alarm_mail: str, **given: object,
    ) -> None:  # fmt: skip
        """Make the key and the buckets.

        Args:
            scope: the app.
            name: of the stack.
            bucket_name: of the copies; fixed like the others, because the first region must name it.
            store: name of the bucket that backups are written to, locked.
            mirror: name of the bucket of its keys, without versions.
            copied_from: name of the bucket in the first region that is copied here.
            alarm_mail: who is told where copies are late.
            given: what ``Stack`` takes.
        """
        super().__init__(scope, name, **given)  # type: ignore[arg-type]
        self._key = kms.Key(
            self,
            "CopiesKey",
            alias="headshotly/copies",
            enable_key_rotation=True,
            pending_window=Duration.days(30),
            removal_policy=RemovalPolicy.RETAIN,
        )
        self._seen = s3.Bucket(
            self,
            "CopiesAccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(400))],
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.bucket = self._bucket("Copies", bucket_name, locked=True)
        self.store = self._bucket("Second", store, locked=True)
        self.mirror = self._bucket("SecondMirror", mirror, locked=False)
        self._late(copying(copied_from, bucket_name), alarm_mail)

    def _late(self, dimensions: dict[str, str], alarm_mail: str) -> None:
        """Tell where copies are an hour late: S3 says so in the region of the copies alone, and so must the alarm."""
        # An alarm may not name another region's topic.
        let_alarms_use(self._key, self.account)
        topic = topic_of_alarms(self, self._key, alarm_mail)
        late = cloudwatch.Metric(
            namespace="AWS/S3", metric_name="ReplicationLatency", statistic="Maximum",
            period=Duration.minutes(5), dimensions_map=dimensions,
        ).create_alarm(self, "CopiesLate", threshold=3600, evaluation_periods=3)  # fmt: skip
        late.add_alarm_action(actions.SnsAction(topic))

    def _bucket(self, name: str, bucket_name: str, *, locked: bool) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            server_access_logs_bucket=self._seen,
            server_access_logs_prefix=f"s3/{name.lower()}/",
            bucket_name=bucket_name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=locked,
            object_lock_enabled=locked,
            object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(BACKUP_DAYS))
            if locked
            else None,
            removal_policy=RemovalPolicy.RETAIN,
        )
