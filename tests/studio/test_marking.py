"""What a result says about itself: signed, intact through every way out of the house, and nothing of the input in it."""

import datetime as dt
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from headshotly.frontdoor.commands.studio import studio
from headshotly.policy import clock, configuration
from headshotly.studio import credentials, decoding, marking, signatory
from headshotly.studio.downloads import stream_zip
from headshotly.studio.engine import PortraitEngine
from headshotly.studio.errors import CredentialsUnusable
from headshotly.studio.styles import STYLES

NOW = dt.datetime(2026, 11, 27, 9, tzinfo=dt.UTC)
PEM = credentials.make(NOW)
SIGNATORY = credentials.load(PEM, NOW)
PICTURE = np.random.default_rng(3).integers(0, 255, (90, 72, 3), np.uint8)
SIGNED = marking.encode(PICTURE, signatory=SIGNATORY)
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def test_a_headshot_says_what_it_is_twice_and_signed() -> None:
    statement = credentials.read(SIGNED)
    assert statement is not None
    assert statement.intact
    assert statement.source == marking.source_type(SIGNED) == COMPOSITE
    assert statement.software == "HeadShotly portrait engine"
    assert statement.actions[0] == "c2pa.created"
    assert "c2pa.color_adjustments" in statement.actions
    with Image.open(io.BytesIO(SIGNED)) as image:
        assert not image.getexif()
        assert image.info["icc_profile"]
        assert image.size == (72, 90)


def test_a_process_that_was_forked_after_signing_signs_too() -> None:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            statement = credentials.read(marking.encode(PICTURE, signatory=SIGNATORY))
            code = 0 if statement is not None and statement.intact else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def test_a_generated_picture_says_that_it_is_one() -> None:
    data = marking.encode(PICTURE, signatory=SIGNATORY, origin=marking.generated("Some <Model> & 4B"))
    statement = credentials.read(data)
    assert statement is not None
    assert statement.source == marking.source_type(data) == GENERATED
    assert statement.software == "HeadShotly with Some <Model> & 4B"


def test_a_self_made_certificate_claims_no_trust() -> None:
    statement = credentials.read(SIGNED)
    assert statement is not None
    assert statement.trusted is False
    assert statement.issuer == credentials.SELF_MADE
    assert SIGNATORY.self_made


def test_a_preview_names_its_origin_too() -> None:
    assert marking.source_type(marking.encode_preview(PICTURE)) == COMPOSITE


# Where each lies differs from run to run, as the signature does; the cases are named so that every process knows them.
CHANGED = {
    "statement": SIGNED.index(b"AISystemUsed"),
    "pixels": len(SIGNED) - 3000,
    "last pixels": len(SIGNED) - 400,
}


@pytest.mark.parametrize("place", CHANGED.values(), ids=CHANGED.keys())
def test_a_changed_bit_is_noticed(place: int) -> None:
    changed = bytearray(SIGNED)
    changed[place] ^= 1
    statement = credentials.read(bytes(changed))
    assert statement is not None
    assert not statement.intact
    assert "assertion.dataHash.mismatch" in statement.failures


def test_saving_again_elsewhere_loses_the_statement_and_that_is_seen() -> None:
    out = io.BytesIO()
    with Image.open(io.BytesIO(SIGNED)) as image:
        image.save(out, format="JPEG")
    assert credentials.read(out.getvalue()) is None
    assert marking.source_type(out.getvalue()) == ""


def test_every_preset_through_the_zip_keeps_its_statement(shared: Path) -> None:
    engine = PortraitEngine(configuration.current().models_folder)
    photo = (shared / "photos" / "good" / "senate_cory-booker.jpg").read_bytes()
    prepared = engine.prepare(decoding.decode(photo, pixels_max=60_000_000, bytes_max=30 << 20))
    files = {
        f"{style.id}.jpg": marking.encode(engine.render(prepared, style).picture, signatory=SIGNATORY)
        for style in STYLES.values()
        if style.id in {"linkedin", "cv", "id-photo", "banner", "office"}
    }
    packed = b"".join(stream_zip(files.items()))
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert len(archive.namelist()) == 5
        for name in archive.namelist():
            assert archive.read(name) == files[name]
            statement = credentials.read(archive.read(name))
            assert statement is not None
            assert statement.intact, name


@pytest.mark.parametrize("name", ["gps_orientation6_timscott.jpg", "gps_timscott.heic"])
def test_nothing_of_the_inputs_metadata_survives(shared: Path, name: str) -> None:
    photo = (shared / "photos" / "derived" / name).read_bytes()
    assert b"Exif" in photo, "there is something to lose"
    picture = decoding.decode(photo, pixels_max=60_000_000, bytes_max=30 << 20)
    engine = PortraitEngine(configuration.current().models_folder)
    result = engine.render(engine.prepare(picture), STYLES["studio-grey"]).picture
    for data in (marking.encode(result, signatory=SIGNATORY), marking.encode_preview(result)):
        with Image.open(io.BytesIO(data)) as image:
            assert not image.getexif()
            assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "icc_profile", "xmp"}
        assert b"GPS" not in data
        assert b"Exif\x00" not in data


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.binary(max_size=600))
def test_reading_anything_ends_in_a_statement_or_none(tail: bytes) -> None:
    for data in (tail, SIGNED[:300] + tail, SIGNED[: len(SIGNED) // 2] + tail):
        statement = credentials.read(data)
        assert statement is None or not statement.intact


def pem_of(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificates_of(pem: bytes) -> bytes:
    return pem[: pem.rindex(b"-----BEGIN PRIVATE")]


@pytest.mark.parametrize(
    ("pem", "sentence"),
    [
        (b"", "must hold a certificate"),
        (b"nonsense", "must hold a certificate"),
        (certificates_of(PEM), "must hold a certificate"),
        (certificates_of(PEM) + pem_of(ec.generate_private_key(ec.SECP256R1())), "does not belong"),
        (certificates_of(PEM) + pem_of(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (certificates_of(PEM) + pem_of(rsa.generate_private_key(65537, 2048)), "P-256"),
    ],
)
def test_a_file_that_cannot_sign_is_refused_in_plain_words(pem: bytes, sentence: str) -> None:
    with pytest.raises(CredentialsUnusable, match=sentence):
        credentials.load(pem, NOW)


@pytest.mark.parametrize("when", [NOW - dt.timedelta(days=1), NOW + credentials.VALID + dt.timedelta(days=1)])
def test_a_certificate_out_of_date_is_refused(when: dt.datetime) -> None:
    with pytest.raises(CredentialsUnusable, match="in date"):
        credentials.load(PEM, when)


def test_the_certificate_is_made_once_and_is_the_owners_only() -> None:
    first = signatory.current()
    path = configuration.current().data_folder / "content-credentials.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert signatory.current().chain == first.chain
    assert [each.name for each in path.parent.iterdir() if "content-credentials" in each.name] == [path.name]


def test_a_damaged_or_old_self_made_certificate_is_made_anew(monkeypatch) -> None:
    first = signatory.current()
    path = configuration.current().data_folder / "content-credentials.pem"
    path.write_bytes(b"half a fi")
    second = signatory.current()
    assert second.chain != first.chain
    later = clock.now() + credentials.VALID - dt.timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert signatory.current().expires > later + dt.timedelta(days=30)


def test_the_operators_certificate_signs_where_there_is_one(tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "operator.pem"
    path.write_bytes(credentials.make(clock.now()))
    path.chmod(0o600)
    monkeypatch.setitem(configuration.current().options, "credentials.file", str(path))
    assert signatory.current().chain in path.read_text()
    path.chmod(0o644)
    with pytest.raises(CredentialsUnusable, match="owner only"):
        signatory.current()
    path.unlink()
    with pytest.raises(CredentialsUnusable, match="cannot be used"):
        signatory.current()


def test_the_certificate_that_we_make_lies_where_an_option_says(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "pictures"
    monkeypatch.setitem(configuration.current().options, "credentials.folder", str(folder))
    made = signatory.current()
    assert [path.name for path in folder.iterdir()] == ["content-credentials.pem"]
    assert made.chain in (folder / "content-credentials.pem").read_text()


def inspect(path: Path):
    return CliRunner().invoke(studio, ["inspect", str(path)])


def test_inspect_shows_the_statement_and_how_far_it_can_be_trusted(tmp_path: Path) -> None:
    path = tmp_path / "headshot.jpg"
    path.write_bytes(SIGNED)
    shown = inspect(path)
    assert shown.exit_code == 0
    for words in (COMPOSITE, "intact", "self-made", "c2pa.cropped", "HeadShotly portrait engine"):
        assert words in shown.output
    changed = bytearray(SIGNED)
    changed[-500] ^= 1
    path.write_bytes(changed)
    shown = inspect(path)
    assert shown.exit_code == 1
    assert "BROKEN: assertion.dataHash.mismatch" in shown.output
    path.write_bytes(os.urandom(100))
    assert inspect(path).exit_code == 1


def test_the_contact_sheet_shows_photos_and_refusals(shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("good/tf_grace_hopper.jpg", "derived/not_an_image.jpg", "derived/two_people_collage.jpg"):
        (folder / Path(name).name).write_bytes((shared / "photos" / name).read_bytes())
    out = tmp_path / "sheet.png"
    arguments = ["sheet", str(folder), "--out", str(out), "--style", "studio-navy", "--style", "cv", "--width", "100"]
    done = CliRunner().invoke(studio, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    with Image.open(out) as image:
        assert image.width == 5 * 108 + 8
        sheet = np.asarray(image.convert("RGB"))
    rows = np.flatnonzero((sheet[:, 2 * 108 + 58] != 250).any(axis=1))
    assert rows.size > 60, "the matte of the good photo is there"
    (tmp_path / "empty").mkdir()
    assert CliRunner().invoke(studio, ["sheet", str(tmp_path / "empty")]).exit_code == 1
