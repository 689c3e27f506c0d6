"""One suite for every way mail leaves: a folder, a real SMTP server with TLS, Amazon SES on moto."""

import ssl
import uuid
from email import message_from_bytes, policy

import pytest

from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import PendingEntry
from headshotly.policy import configuration
from headshotly.vendors import gate, mail
from headshotly.vendors.errors import EgressRefused
from tests.local_server import free_port
from tests.vendors.test_https import tls  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
WAYS = ["folder", "smtp", "ses"]


class Inbox:
    """What arrived, however it came."""

    def __init__(self, mailer, arrived, breaks) -> None:
        self.mailer, self.arrived, self.breaks = mailer, arrived, breaks


class _Received:
    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def handle_DATA(self, _server, _session, envelope) -> str:
        self.messages.append(envelope.content)
        return "250 Ok"


def _folder(tmp_path):
    folder = tmp_path / "box"

    def arrived():
        return [path.read_bytes() for path in sorted(folder.glob("*.eml"))]

    def breaks():
        folder.parent.mkdir(exist_ok=True)
        folder.write_text("a file where the folder should be")

    return Inbox(mail.FolderMailer(folder), arrived, breaks)


@pytest.fixture(params=WAYS)
def inbox(request, tmp_path, tls, monkeypatch):  # noqa: F811 - the fixture
    monkeypatch.setattr(gate, "require", lambda _host, **_named: "played")
    match request.param:
        case "folder":
            yield _folder(tmp_path)
        case "smtp":
            from aiosmtpd.controller import Controller

            serving, trusting = tls
            trusting.check_hostname = False
            received = _Received()
            server = Controller(
                received,
                hostname="127.0.0.1",
                port=free_port(),
                tls_context=serving,
                require_starttls=True,
                decode_data=False,
            )
            server.start()
            port = server.server.sockets[0].getsockname()[1]
            yield Inbox(
                mail.SmtpMailer(host="127.0.0.1", port=port, trust=trusting), lambda: received.messages, server.stop
            )
            if server.loop.is_running():
                server.stop()
        case _:
            from moto import mock_aws
            from moto.core import DEFAULT_ACCOUNT_ID
            from moto.sesv2.models import sesv2_backends

            from headshotly.vendors import aws

            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
            with mock_aws():
                client = aws.client("sesv2", region="eu-central-1")
                client.create_email_identity(EmailIdentity="headshotly.ai")
                backend = sesv2_backends[DEFAULT_ACCOUNT_ID]["eu-central-1"]

                def broken(*_args, **_named):
                    raise aws.ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "SendEmail")

                def arrived():
                    return [one.raw_data.encode() for one in backend.core_backend.sent_messages]

                yield Inbox(mail.SesMailer(client), arrived, lambda: monkeypatch.setattr(client, "send_email", broken))


@pytest.fixture
def send(inbox, monkeypatch):
    monkeypatch.setattr(mail, "_mailer", lambda: inbox.mailer)

    def one(**changed) -> None:
        mail.send(**{"to": "ada@example.org", "subject": "Zażółć", "text": "Dzień dobry", "about": None, **changed})

    return one


@pytest.mark.clause("11.a-c")
def test_a_letter_arrives_whole(send, inbox):
    send(once=uuid.UUID(int=9))
    [raw] = inbox.arrived()
    found = message_from_bytes(raw, policy=policy.default)
    assert found["To"] == "ada@example.org"
    assert found["Subject"] == "Zażółć"
    assert "Dzień dobry" in found.get_content()
    assert "Wileńska 14" in found.get_content()
    assert str(uuid.UUID(int=9)) in found["Message-ID"]
    [entry] = [decode(bytes(row.leaf)) for row in PendingEntry.objects.all()]
    assert entry.act is Act.MAIL_SENT


def test_what_cannot_be_handed_over_is_said_and_not_written_down_as_sent(send, inbox):
    inbox.breaks()
    with pytest.raises(mail.MailNotSent, match="could not be sent"):
        send()
    assert not PendingEntry.objects.exists()


@pytest.mark.parametrize("address", ["a@b.example\r\nBcc: x@y.example", "a@b.example,c@d.example", "nobody", "a" * 300])
def test_addresses_that_are_none_are_refused(send, inbox, address):
    with pytest.raises(mail.MailNotSent, match="not one we can send to"):
        send(to=address)
    assert inbox.arrived() == []


@pytest.mark.clause("3.1.a")
def test_a_server_without_tls_gets_no_letter():
    from aiosmtpd.controller import Controller

    received = _Received()
    server = Controller(received, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        port = server.server.sockets[0].getsockname()[1]
        mailer = mail.SmtpMailer(host="127.0.0.1", port=port)
        from email.message import EmailMessage

        message = EmailMessage()
        message["From"], message["To"] = "a@example.org", "b@example.org"
        with pytest.raises(mail.MailNotSent):
            mailer.deliver(message)
    finally:
        server.stop()
    assert received.messages == []


@pytest.mark.clause("9.1.b")
def test_a_mail_server_on_no_register_gets_no_letter():
    from email.message import EmailMessage

    with pytest.raises(EgressRefused, match="on no register"):
        mail.SmtpMailer(host="smtp.example", port=465, trust=ssl.create_default_context()).deliver(EmailMessage())


def test_in_production_no_folder_stands_for_everybodys_mailbox(settings):
    from dataclasses import replace

    here = configuration.current()
    settings.HEADSHOTLY = replace(here, environment="production")
    with pytest.raises(ValueError, match="choose smtp or ses"):
        mail._mailer()
    settings.HEADSHOTLY = replace(here, options={"mail.way": "pigeon"})
    with pytest.raises(ValueError, match="pigeon"):
        mail._mailer()
