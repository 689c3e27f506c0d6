"""What is seen, kept, and told: trail, threat detection, configuration record, backups, alarms, budget (6, 8)."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_backup as backup
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_config as config
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_guardduty as guardduty
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from headshotly_infra.data import Data
from headshotly_infra.keys import Keys
from headshotly_infra.plan import Plan
from headshotly_infra.service import Service

CONFIG_RULES = ("ENCRYPTED_VOLUMES", "RDS_STORAGE_ENCRYPTED", "RDS_INSTANCE_PUBLIC_ACCESS_CHECK",
                "S3_BUCKET_PUBLIC_READ_PROHIBITED", "S3_BUCKET_PUBLIC_WRITE_PROHIBITED", "S3_BUCKET_SSL_REQUESTS_ONLY",
                "ROOT_ACCOUNT_MFA_ENABLED", "IAM_USER_MFA_ENABLED", "CMK_BACKING_KEY_ROTATION_ENABLED",
                "EFS_ENCRYPTED_CHECK", "EFS_ACCESS_POINT_ENFORCE_USER_IDENTITY",
                "EFS_ACCESS_POINT_ENFORCE_ROOT_DIRECTORY", "VPC_FLOW_LOGS_ENABLED",
                "CLOUD_TRAIL_ENABLED", "GUARDDUTY_ENABLED_CENTRALIZED")  # fmt: skip


class Watch(Stack):
    """Everything that looks on. The service's own SIEM reads the trail, the findings and the flow logs."""

    def __init__(
        self, scope: Construct, name: str, *, plan: Plan, keys: Keys, data: Data, service: Service, **given: object
    ) -> None:
        """Make the trail, the detectors, the backup plan, the alarms and the budget.

        Args:
            scope: the app.
            name: of the stack.
            plan: this deployment.
            keys: for logs and topics.
            data: what is backed up and watched.
            service: what is watched.
            given: what ``Stack`` takes.
        """
        super().__init__(scope, name, **given)  # type: ignore[arg-type]
        self._plan, self._keys, self._data, self._service = plan, keys, data, service
        self.locked = self._locked_bucket()
        self._trail()
        guardduty.CfnDetector(self, "GuardDuty", enable=True, finding_publishing_frequency="FIFTEEN_MINUTES")
        self._configuration()
        self._backups()
        self.topic = self._topic()
        self._alarms()
        self._tell_of_operators()
        self._budget()

    def _locked_bucket(self) -> s3.Bucket:
        return s3.Bucket(
            self,
            "Locked",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._keys.keys["logs"],
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_lock_enabled=True,
            object_lock_default_retention=s3.ObjectLockRetention.compliance(Duration.days(400)),
            server_access_logs_bucket=self._data.access_logs,
            server_access_logs_prefix="s3/locked/",
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _trail(self) -> None:
        group = logs.LogGroup(
            self,
            "TrailLog",
            retention=logs.RetentionDays.ONE_YEAR,
            encryption_key=self._keys.keys["logs"],
            removal_policy=RemovalPolicy.RETAIN,
        )
        trail = cloudtrail.Trail(
            self,
            "Trail",
            bucket=self.locked,
            encryption_key=self._keys.keys["logs"],
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_file_validation=True,
            send_to_cloud_watch_logs=True,
            cloud_watch_log_group=group,
        )
        trail.add_s3_event_selector([cloudtrail.S3EventSelector(bucket=self._data.buckets["objects"])])

    def _configuration(self) -> None:
        role = iam.Role(
            self,
            "ConfigRole",
            assumed_by=iam.ServicePrincipal("config.amazonaws.com"),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AWS_ConfigRole")],
        )
        self.locked.grant_put(role, "config/*")
        self.locked.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("config.amazonaws.com")],
                actions=["s3:GetBucketAcl", "s3:ListBucket"],
                resources=[self.locked.bucket_arn],
                conditions={"StringEquals": {"aws:SourceAccount": self.account}},
            )
        )
        recorder = config.CfnConfigurationRecorder(
            self,
            "Recorder",
            role_arn=role.role_arn,
            recording_group=config.CfnConfigurationRecorder.RecordingGroupProperty(
                all_supported=True, include_global_resource_types=True
            ),
        )
        channel = config.CfnDeliveryChannel(
            self, "Channel", s3_bucket_name=self.locked.bucket_name, s3_key_prefix="config"
        )
        for identifier in CONFIG_RULES:
            rule = config.ManagedRule(self, identifier.title().replace("_", ""), identifier=identifier)
            rule.node.add_dependency(recorder)
            rule.node.add_dependency(channel)

    def _backups(self) -> None:
        """Let AWS back the main cluster up as well; never the key store, or a deleted customer would come back."""
        vault = backup.BackupVault(
            self,
            "Vault",
            encryption_key=self._keys.keys["data"],
            lock_configuration=backup.LockConfiguration(
                min_retention=Duration.days(7), max_retention=Duration.days(35), changeable_for=Duration.days(3)
            ),
            removal_policy=RemovalPolicy.RETAIN,
        )
        plan = backup.BackupPlan(self, "BackupPlan", backup_vault=vault)
        plan.add_rule(
            backup.BackupPlanRule(
                rule_name="daily",
                schedule_expression=events.Schedule.cron(hour="2", minute="15"),
                delete_after=Duration.days(35),
                start_window=Duration.hours(1),
                completion_window=Duration.hours(4),
            )
        )
        plan.add_selection(
            "Main", resources=[backup.BackupResource.from_rds_database_cluster(self._data.database)],
            allow_restores=False,
        )  # fmt: skip

    def _topic(self) -> sns.Topic:
        topic = sns.Topic(self, "Alarms", master_key=self._keys.keys["data"], enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(self._plan.alarm_mail))
        return topic

    def _alarms(self) -> None:
        balancer, data = self._service.balancer, self._data
        several = {"evaluation_periods": 3, "datapoints_to_alarm": 2}
        alarms = {
            "ServerErrors": balancer.metrics.http_code_target(
                balancing.HttpCodeTarget.TARGET_5XX_COUNT, period=Duration.minutes(5), statistic="Sum"
            ).create_alarm(self, "ServerErrors", threshold=25, **several),
            "Slow": balancer.metrics.target_response_time(period=Duration.minutes(5), statistic="p99").create_alarm(
                self, "Slow", threshold=2, **several
            ),
            "DeadLetters": data.dead_letters.metric_approximate_number_of_messages_visible().create_alarm(
                self, "DeadLettersSeen", threshold=1, evaluation_periods=1
            ),
            "OldJobs": data.queue.metric_approximate_age_of_oldest_message().create_alarm(
                self, "OldJobs", threshold=900, evaluation_periods=1
            ),
            "DatabaseBusy": data.database.metric_cpu_utilization().create_alarm(
                self, "DatabaseBusy", threshold=85, evaluation_periods=3
            ),
        }
        for alarm in alarms.values():
            alarm.add_alarm_action(actions.SnsAction(self.topic))

    def _tell_of_operators(self) -> None:
        """Tell of every start of the operator's task; nobody does what it can do unseen."""
        family = f"family:{self._service.operator.family}"
        rule = events.Rule(
            self,
            "OperatorAtWork",
            description="Somebody started the operator's task",
            event_pattern=events.EventPattern(
                source=["aws.ecs"],
                detail_type=["ECS Task State Change"],
                detail={"group": [family], "lastStatus": ["RUNNING", "STOPPED"]},
            ),
        )
        rule.add_target(targets.SnsTopic(self.topic))

    def _budget(self) -> None:
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=self._plan.monthly_budget, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        comparison_operator="GREATER_THAN", notification_type=kind, threshold=threshold
                    ),
                    subscribers=[
                        budgets.CfnBudget.SubscriberProperty(address=self._plan.alarm_mail, subscription_type="EMAIL")
                    ],
                )
                for kind, threshold in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
