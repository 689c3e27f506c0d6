"""AWS as moto plays it, served over TLS to every process of a test: KMS and SQS.

python -m tests.aws_server PORT CERTIFICATE KEY
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from headshotly.frontdoor import certificate
from tests import s3_server
from tests.local_server import free_port, listening

REGION = "eu-north-1"


@dataclass(frozen=True, slots=True)
class Aws:
    """Where it is, and what a process needs in its environment to speak to it."""

    url: str
    environment: dict[str, str]

    def queue(self, *, deliveries_max: int) -> tuple[str, str]:
        """Make a queue with its dead letters, as ``infra/`` does; return both addresses."""
        client = boto3.client(
            "sqs", region_name=REGION, endpoint_url=self.url, verify=self.environment["AWS_CA_BUNDLE"],
            aws_access_key_id=s3_server.ACCESS_KEY, aws_secret_access_key=s3_server.SECRET_KEY,
        )  # fmt: skip
        dead = client.create_queue(QueueName="dead")["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": deliveries_max})
        attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "120"}
        return client.create_queue(QueueName="jobs", Attributes=attributes)["QueueUrl"], dead


def keys_for(folder: Path) -> tuple[Path, Path]:
    """Return certificate and key of ``localhost``, kept in a folder."""
    return certificate.ensure(folder / "aws-tls", host="localhost")


@contextmanager
def running(folder: Path) -> Iterator[Aws]:
    """Play AWS, which forgets everything at the end."""
    pem, key = keys_for(folder)
    port = free_port()
    with listening([sys.executable, "-m", "tests.aws_server", str(port), str(pem), str(key)], port, name="AWS"):
        yield Aws(
            url=f"https://localhost:{port}",
            environment={
                "AWS_CA_BUNDLE": str(pem),
                "AWS_ACCESS_KEY_ID": s3_server.ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": s3_server.SECRET_KEY,
            },
        )


def _serve(port: int, pem: str, key: str) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    application = DomainDispatcherApplication(create_backend_app)
    make_server(
        "127.0.0.1", port, application, threaded=True, request_handler=MotoRequestHandler, ssl_context=(pem, key)
    ).serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), sys.argv[2], sys.argv[3])
