"""Mails to the security address: anybody sends them, whatever they hold (clause 10.3)."""

from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headshotly.proof import mailbox, openpgp
from headshotly.proof.errors import UnreadableMail
from headshotly.proof.mail_reading import LARGEST, LONGEST_TEXT, read
from headshotly.proof.mailbox import Maildir, MailFolder

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("10.3")]
OWN = "security@headshotly.ai"


def mail(text: str = "There is a hole.", **headers) -> EmailMessage:
    made = EmailMessage()
    made["From"] = headers.pop("From", "Ada Finder <ada@example.org>")
    made["Subject"] = headers.pop("Subject", "A hole")
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made


def seen(made: EmailMessage):
    return read(made.as_bytes(), own_address=OWN)


def test_a_plain_mail() -> None:
    found = seen(mail())
    assert (found.sender, found.name, found.subject, found.text) == (
        "ada@example.org", "Ada Finder", "A hole", "There is a hole.",
    )  # fmt: skip
    assert not found.automatic
    assert not found.encrypted


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List_Id": "<x.example.org>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@example.org"},
        {"From": "security@headshotly.ai"},
        {"From": "no address at all"},
        {"From": "noreply@example.org"},
    ],
)
def test_no_program_answers_a_program(headers) -> None:
    assert seen(mail(**headers)).automatic


def test_html_becomes_words_and_nothing_runs() -> None:
    made = mail()
    made.set_content("<html><head><style>x</style></head><p>One<br>two<script>alert(1)</script>", subtype="html")
    assert seen(made).text.split() == ["One", "two"]


def test_files_are_named_and_not_read() -> None:
    made = mail("See the file.")
    made.add_attachment(b"\0\1", maintype="application", subtype="octet-stream", filename="proof.bin")
    assert seen(made).attachments == ("proof.bin",)
    assert seen(made).text == "See the file."


@pytest.mark.parametrize(
    "address",
    [
        "a@b@c.example",
        "x@y",
        "a b@example.org",
        "a@exa mple.org",
        "a@example.org,b@example.org",
        "a" * 300 + "@example.org",
    ],
)
def test_what_is_no_address_is_not_written_to(address) -> None:
    raw = b"From: " + address.encode() + b"\nSubject: x\n\nwords"
    assert "," not in read(raw, own_address=OWN).sender
    assert read(raw, own_address=OWN).sender in {"", "a@example.org"}


def test_too_much_and_nothing_are_refused() -> None:
    for raw in (b"", b"  \n", b"x" * (LARGEST + 1)):
        with pytest.raises(UnreadableMail):
            read(raw, own_address=OWN)
    assert len(seen(mail("x" * (LONGEST_TEXT + 5))).text) == LONGEST_TEXT


@given(st.binary(max_size=2000))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_the_reader(garbage) -> None:
    try:
        found = read(garbage, own_address=OWN)
    except UnreadableMail:
        return
    assert len(found.text) <= LONGEST_TEXT


@given(st.lists(st.sampled_from([
    b"From: ", b"Content-Type: multipart/mixed; boundary=x\n", b"--x\n", b"--x--\n", b"\n", b"=?utf-8?q?=00?=", b"<a@b.example>",
    b"Content-Transfer-Encoding: base64\n", b"Content-Type: text/plain; charset=idna\n", b"\xff\xfe", b"Subject: ", b"(((", b";;;",
    b"Content-Disposition: attachment; filename*=utf-8''%00\n", b"Content-Type: message/rfc822\n",
]), max_size=25))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_no_structure_breaks_the_reader(pieces) -> None:
    try:
        read(b"".join(pieces) or b"x", own_address=OWN)
    except UnreadableMail:
        return


def test_encrypted_mail_is_opened_by_the_same_intake() -> None:
    from pysequoia import Cert, encrypt

    key = Cert.from_bytes(openpgp.certificate().encode())
    inline = mail(encrypt(recipients=[key], bytes=b"Secret words.").decode())
    assert seen(inline).encrypted
    assert seen(inline).text == "Secret words."
    inner = mail("Words inside.").as_bytes()
    outer = EmailMessage()
    outer["From"], outer["Subject"] = "ada@example.org", "..."
    outer.set_type("multipart/encrypted")
    outer.add_attachment(b"Version: 1", maintype="application", subtype="pgp-encrypted")
    outer.add_attachment(encrypt(recipients=[key], bytes=inner), maintype="application", subtype="octet-stream")
    assert seen(outer).text.strip() == "Words inside."
    broken = mail("-----BEGIN PGP MESSAGE-----\n\nAAAA\n-----END PGP MESSAGE-----\n")
    assert "could not be opened" in seen(broken).text
    assert "BEGIN PGP MESSAGE" in seen(broken).text


def maildir(folder: Path) -> tuple[mailbox.Mailbox, Path]:
    (folder / "new").mkdir(parents=True)
    return mailbox.at(folder), folder / "new"


def mail_folder(folder: Path) -> tuple[mailbox.Mailbox, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return mailbox.at(folder), folder


@pytest.mark.parametrize(("make", "kind", "suffix"), [(maildir, Maildir, ""), (mail_folder, MailFolder, ".eml")])
def test_both_mailboxes_keep_their_promises(tmp_path, make, kind, suffix) -> None:
    box, inside = make(tmp_path / "security")
    assert isinstance(box, kind)
    (inside / f"2{suffix}").write_bytes(b"two")
    (inside / f"1{suffix}").write_bytes(b"one")
    (inside / f".3{suffix}").write_bytes(b"half written")
    (inside / f"4{suffix}").symlink_to("/etc/passwd")
    (inside / f"5{suffix}").mkdir()
    waiting = list(box.waiting())
    assert [one.raw for one in waiting] == [b"one", b"two"]
    assert [one.raw for one in box.waiting()] == [b"one", b"two"], "nothing goes before it is done"
    box.done(waiting[0])
    box.done(waiting[0])
    assert [one.raw for one in box.waiting()] == [b"two"]
    kept = [
        path.read_bytes() for path in (tmp_path / "security").rglob("*") if path.is_file() and not path.is_symlink()
    ]
    assert sorted(kept) == [b"half written", b"one", b"two"], "no mail is ever deleted"


def test_a_mail_larger_than_accepted_is_not_read_whole(tmp_path) -> None:
    box, inside = mail_folder(tmp_path / "security")
    with (inside / "huge.eml").open("wb") as file:
        file.truncate(LARGEST * 40)
    (found,) = box.waiting()
    assert len(found.raw) == LARGEST + 1
