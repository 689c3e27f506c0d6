"""Every choice an operator makes, in one frozen record.

``frontdoor.settings`` builds it from the environment; rooms ask ``current()`` and read nothing else.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from django.conf import settings  # noqa: TID251 - the one place

from headshotly.policy.operator import Operator

type Environment = Literal["local", "staging", "production", "test"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Configuration:
    """What differs between one installation and another.

    Attributes:
        environment: where this process runs; evidence carries it.
        data_folder: everything the embedded default keeps; holds no readable personal data.
        mail_folder: stands in for the recipients' mailboxes in the local default; outside ``data_folder``.
        models_folder: face models and their manifest.
        public_url: address people use, with scheme, without trailing slash.
        https_port: port of the embedded TLS server.
        http_port: port that only redirects to ``public_url``.
        photo_bytes_max: largest accepted photo file, in bytes.
        photo_pixels_max: largest accepted picture, in pixels.
        photos_per_shoot_max: most photos in one shoot.
        request_bytes_max: largest accepted request body, in bytes.
        decoders_max: decoding sandboxes alive at once in one process.
        key_service: ``embedded`` or ``aws-kms``.
        object_store: ``folder`` or ``s3``.
        key_store: ``folder`` or ``database``.
        options: adapter settings by dotted name, such as ``s3.bucket``, all strings.
    """

    environment: Environment
    data_folder: Path
    mail_folder: Path
    models_folder: Path
    public_url: str = "https://localhost:8443"
    https_port: int = 8443
    http_port: int = 8080
    photo_bytes_max: int = 30 * MIB
    photo_pixels_max: int = 60_000_000
    photos_per_shoot_max: int = 10
    request_bytes_max: int = 310 * MIB
    decoders_max: int = 2
    key_service: str = "embedded"
    object_store: str = "folder"
    key_store: str = "folder"
    operator: Operator = field(default_factory=Operator)
    options: dict[str, str] = field(default_factory=dict)


def current() -> Configuration:
    """Return the configuration of this process."""
    configuration: Configuration = settings.HEADSHOTLY
    return configuration
