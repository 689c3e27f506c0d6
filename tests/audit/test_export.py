"""What an auditor or a customer holds is checked with a key and nothing else."""

import base64
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from headshotly.audit import export, keys, selectors
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.audit.acts import Act
from headshotly.audit.checkpoint import raw_public_key, read, verifier_key
from headshotly.audit.errors import CheckpointForged, JournalDamaged
from headshotly.audit.models import SignedHead
from headshotly.audit.sequencing import sequence_once
from headshotly.audit.services import record
from headshotly.frontdoor.commands.journal import journal
from headshotly.policy.refusal import Refusal

pytestmark = [
    pytest.mark.django_db(transaction=True, databases=["default", "journal"]),
    pytest.mark.usefixtures("witness_folder"),
]
_SUBJECT = uuid.UUID(int=12)
_REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _journal(witness_folder):
    for size in (4, 9):
        for number in range(size - (size == 9) * 4):
            subject = _SUBJECT if number % 2 else None
            record(actor=Actor(kind="staff", id=uuid.uuid4(), role="support"), act=Act.OBJECT_OPENED, subject=subject)
        sequence_once()
    # Waits and is in no export.
    record(actor=SYSTEM, act=Act.KEY_CREATED)


def run(*arguments: object) -> str:
    ran = CliRunner().invoke(journal, [str(argument) for argument in arguments], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.output


@pytest.fixture
def exported(tmp_path) -> Path:
    path = tmp_path / "journal.txt"
    assert "9 entries written" in run("export", path)
    return path


def offline(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the program where no data folder, database or setting of ours can be reached."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("HEADSHOTLY_", "DJANGO_"))}
    return subprocess.run(
        [sys.executable, "-c", "from headshotly.frontdoor.commandline import main; main()", *map(str, arguments)],
        env={**bare, "HEADSHOTLY_DATA": str(folder / "nowhere"), "PYTHONPATH": str(_REPOSITORY)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.clause("5.3.a")
def test_an_export_is_verified_without_database_or_settings(exported, tmp_path):
    ran = offline(tmp_path, "journal", "verify-export", exported, "--public-key", keys.published_key())
    assert ran.returncode == 0, ran.stderr
    assert "9 entries of headshotly.ai/journal, as signed" in ran.stdout
    assert not (tmp_path / "nowhere").exists()


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines(keepends=True)


def edited(lines):
    raw = base64.b64decode(lines[5]).replace(b"support", b"suppose")
    return [*lines[:5], base64.b64encode(raw).decode() + "\n", *lines[6:]]


_BENT = {
    "edited": (edited, "not the ones that were signed"),
    "deleted": (lambda lines: lines[:5] + lines[6:], "cut short"),
    "reordered": (lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "not the ones that were signed"),
    "truncated": (lambda lines: lines[:-2], "cut short"),
    "cut inside a line": (lambda lines: [*lines[:-1], lines[-1][:11]], "cannot be read"),
    "added to": (lambda lines: [*lines, lines[-1]], "holds 10 entries; its signed head covers 9"),
    "respelled": (lambda lines: [*lines[:5], base64.b64encode(base64.b64decode(lines[5]) + b" ").decode()], "spells"),
    "not base64": (lambda lines: [*lines[:5], "é\n", *lines[6:]], "cannot be read"),
    "headless": (lambda lines: lines[1:], "not an exported journal"),
    "empty": (lambda _: [], "not an exported journal"),
    "of another format": (lambda lines: [lines[0].replace("journal-1", "journal-9"), *lines[1:]], "not an exported"),
    "with a lower head": (lambda lines: [lines[0].replace("\\n9\\n", "\\n8\\n"), *lines[1:]], "No signature"),
}


@pytest.mark.clause("5.3.a")
@pytest.mark.parametrize("how", _BENT)
def test_a_bent_export_is_named(how, exported):
    bend, sentence = _BENT[how]
    exported.write_text("".join(bend(_lines(exported))))
    with pytest.raises(JournalDamaged, match=sentence):
        export.verify_file(exported, verifier=keys.published_key())


def test_a_binary_file_is_no_export(exported):
    exported.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(JournalDamaged, match="not an exported journal"):
        export.verify_file(exported, verifier=keys.published_key())


def test_an_export_is_held_against_the_pinned_key_and_name(exported):
    stranger = raw_public_key(Ed25519PrivateKey.generate())
    with pytest.raises(CheckpointForged, match="by the journal's key"):
        export.verify_file(exported, verifier=verifier_key(keys.ORIGIN, stranger))
    with pytest.raises(CheckpointForged, match="another journal"):
        export.verify_file(exported, verifier=verifier_key("example.com/other", keys.public_key()))


@pytest.mark.clause("5.3.a")
def test_a_customer_s_download_is_verified_offline(tmp_path):
    path = tmp_path / "who-opened.json"
    document = selectors.proofs_of_subject(_SUBJECT)
    path.write_text(json.dumps(document))
    ran = offline(tmp_path, "journal", "verify-openings", path, "--key", keys.published_key())
    assert ran.returncode == 0, ran.stderr
    assert "4 entries are in the signed journal" in ran.stdout


def _bent_entry(**changes):
    document = selectors.proofs_of_subject(_SUBJECT)
    document["entries"][1] |= changes
    return document


def test_bent_downloads_are_named():
    good = selectors.proofs_of_subject(_SUBJECT)
    leaf = base64.b64decode(good["entries"][1]["leaf"])
    other = base64.b64encode(leaf.replace(b"support", b"suppose")).decode()
    for document, sentence in [
        (_bent_entry(leaf=other), "not in the journal that was signed"),
        (_bent_entry(index=2), "not in the journal that was signed"),
        (_bent_entry(index=99), "wrong form"),
        (_bent_entry(index="x"), "cannot be read"),
        (_bent_entry(proof=[]), "wrong form"),
        (_bent_entry(proof=None), "cannot be read"),
        (_bent_entry(leaf="é"), "cannot be read"),
        ({**good, "entries": [good["entries"][0]] * 2}, "lists an entry twice"),
        ({**good, "entries": None}, "not a download"),
        ({**good, "entries": [7]}, "cannot be read"),
        ({**good, "format": "other"}, "not a download"),
        ({**good, "checkpoint": ""}, "not a signed note"),
    ]:
        with pytest.raises(JournalDamaged, match=sentence):
            export.verify_openings(document, verifier=keys.published_key())


def test_one_entry_is_proven_from_the_terminal(tmp_path):
    proof = tmp_path / "entry.json"
    proof.write_text(run("prove", 6))
    assert "1 entries are in the signed journal" in run("verify-openings", proof, "--key", keys.published_key())
    with pytest.raises(Refusal, match="no entry 9"):
        run("prove", 9)


@pytest.mark.clause("5.3.a")
def test_a_kept_checkpoint_is_proven_to_be_the_beginning(tmp_path):
    kept, proof = tmp_path / "kept.note", tmp_path / "proof.json"
    kept.write_text(SignedHead.objects.get(size=4).note)
    proof.write_text(run("prove-consistency", kept))
    key = keys.published_key()
    assert "first 4 of 9 entries are unchanged" in run("verify-consistency", kept, proof, "--key", key)
    document = json.loads(proof.read_text())
    document["proof"][0] = base64.b64encode(bytes(32)).decode()
    old = read(kept.read_text(), keys.public_key(), origin=keys.ORIGIN)
    with pytest.raises(JournalDamaged, match="does not begin with the 4 entries"):
        export.verify_consistency(old, document, verifier=key)
    assert "9 entries (5 recomputed)" in run("verify", "--from", kept)


def test_the_commands_say_what_they_found(tmp_path):
    assert "9 entries (9 recomputed), 2 signed heads, 2 of them at the witness; 1 entries wait" in run("verify")
    assert run("key").strip() == keys.published_key()
    assert run("checkpoint") == selectors.latest_head()


def test_a_proof_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "proof.json"
    for text in ("", "[]", "[" * 100_000, "null"):
        path.write_text(text)
        with pytest.raises(Refusal, match="not a proof"):
            run("verify-openings", path, "--key", keys.published_key())
