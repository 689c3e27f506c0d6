"""Names, places and thumbnails planted in every corner of every format, and looked for in everything that is kept or
handed out."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from headshotly.policy import clock
from headshotly.studio import credentials, decoding, gate, marking
from headshotly.studio.downloads import stream_zip

CANARY = b"Kanarkowska-ulica-Cicha-7"
WORDS = CANARY.decode()
# The same words as they would lie in a file: plain, and as Windows' own EXIF fields have them.
FORMS = (CANARY, WORDS.encode("utf-16-le"), WORDS.encode("utf-16-be"))
_MAKER_NOTE, _COMMENT, _ARTIST, _XP_AUTHOR, _EXIF_IFD, _GPS_IFD = 0x927C, 0x9286, 0x013B, 0x9C9D, 0x8769, 0x8825
SIGNATORY = credentials.load(credentials.make(clock.now()), clock.now())


def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(5).integers(0, 255, (96, 80, 3), np.uint8))


def thumbnail() -> bytes:
    out = io.BytesIO()
    picture().resize((16, 16)).save(out, "JPEG", comment=CANARY)
    return out.getvalue()


def exif() -> bytes:
    made = Image.Exif()
    made[_ARTIST] = WORDS
    made[_XP_AUTHOR] = WORDS.encode("utf-16-le")
    made.get_ifd(_EXIF_IFD).update({_MAKER_NOTE: b"Nikon\0" + CANARY, _COMMENT: b"ASCII\0\0\0" + CANARY})
    made.get_ifd(_GPS_IFD).update({1: "N", 2: (52.0, 13.0, 47.0), 29: "2026:11:27", 27: CANARY})
    # A second picture inside, as cameras leave one that shows what was cropped away since.
    return made.tobytes() + thumbnail()


def xmp() -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" dc:creator="' + CANARY + b'"/></rdf:RDF>'
        b"</x:xmpmeta>"
    )


def icc() -> bytes:
    """Return a profile that works and bears a name in place of its copyright."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", profile, 128)[0]
    for place in range(132, 132 + 12 * count, 12):
        name, start, length = struct.unpack_from(">4sII", profile, place)
        if name in {b"cprt", b"desc"} and length >= 28 + 2 * len(WORDS):
            profile[start + 28 : start + 28 + 2 * len(WORDS)] = WORDS.encode("utf-16-be")
    if WORDS.encode("utf-16-be") not in profile:
        profile += CANARY  # behind the last tag
        struct.pack_into(">I", profile, 0, len(profile))
    return bytes(profile)


def iptc() -> bytes:
    """Return Photoshop's resource block with the by-line and the city of IPTC-IIM."""
    records = b"".join(
        struct.pack(">BBBH", 0x1C, 2, field, len(CANARY)) + CANARY for field in (80, 90, 116)
    )  # by-line, city, copyright
    block = b"8BIM" + struct.pack(">HHI", 0x0404, 0, len(records)) + records + b"\0" * (len(records) % 2)
    return b"Photoshop 3.0\0" + block


def jpeg() -> bytes:
    out = io.BytesIO()
    picture().save(out, "JPEG", exif=exif(), xmp=xmp(), icc_profile=icc(), comment=CANARY)
    data = out.getvalue()
    segment = b"\xff\xed" + struct.pack(">H", len(iptc()) + 2) + iptc()
    # After the end of the picture phones hang a film, a depth map, another picture.
    return data[:2] + segment + data[2:] + thumbnail()


def png() -> bytes:
    words = PngImagePlugin.PngInfo()
    words.add_text("Author", WORDS)
    words.add_text("Comment", WORDS, zip=True)
    words.add_itxt("Title", WORDS, lang="pl", tkey=WORDS)
    words.add_text("Raw profile type iptc", WORDS)
    words.add(b"prVt", CANARY)
    out = io.BytesIO()
    picture().save(out, "PNG", pnginfo=words, exif=exif(), icc_profile=icc())
    return out.getvalue() + CANARY


def webp() -> bytes:
    out = io.BytesIO()
    picture().save(out, "WEBP", exif=exif(), xmp=xmp(), icc_profile=icc())
    return out.getvalue()


def avif() -> bytes:
    out = io.BytesIO()
    picture().save(out, "AVIF", exif=exif(), xmp=xmp(), icc_profile=icc())
    return out.getvalue()


def heic() -> bytes:
    pillow_heif.register_heif_opener()
    out = io.BytesIO()
    picture().save(out, "HEIF", exif=exif(), xmp=xmp(), icc_profile=icc(), save_nclx_profile=False)
    return out.getvalue()


def found_in(data: bytes) -> list[bytes]:
    """Return the planted words that are in a file, in whatever is packed inside it too."""
    everything = [data]
    if data[:4] == b"\x89PNG":
        place = 8
        while place + 12 <= len(data):
            (length,) = struct.unpack_from(">I", data, place)
            body = data[place + 8 : place + 8 + length]
            everything += [_unpacked(body[start:]) for start in range(min(len(body), 90))]
            place += 12 + length
    return [form for form in FORMS if any(form in each for each in everything)]


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompress(data)
    except zlib.error:
        return b""


def outputs(shown: np.ndarray) -> dict[str, bytes]:
    """Return everything the studio keeps or hands out of a decoded picture."""
    verdict = gate.Verdict(True, "", "", 1.0, (), (10, 10, 60, 60))
    headshot = marking.encode(shown, signatory=SIGNATORY)
    return {
        "kept photo": decoding.encode_master(shown),
        "its preview": decoding.encode_preview(shown),
        "what the gate saw": decoding.encode_preview(gate.draw(shown, verdict), side=360),
        "headshot": headshot,
        "generated": marking.encode(shown, signatory=SIGNATORY, origin=marking.generated("A model")),
        "preview of a headshot": marking.encode_preview(shown),
        "contact sheet": marking.encode_sheet(shown, ".png"),
        "contact sheet as JPEG": marking.encode_sheet(shown, ".jpg"),
        "archive": b"".join(stream_zip([("headshot-cv-1.jpg", headshot)])),
    }


def only_file(packed: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.comment == b""
        (only,) = archive.infolist()
        assert only.comment == b""
        return archive.read(only)


@pytest.mark.clause("2.3.b")
@pytest.mark.parametrize("make", [jpeg, png, webp, avif, heic])
def test_nothing_that_was_planted_is_in_anything_that_leaves(make: Callable[[], bytes]) -> None:
    data = make()
    assert found_in(data), "there is something to lose"
    shown = decoding.decode(data, pixels_max=1 << 20, bytes_max=1 << 20)
    assert shown.shape == (96, 80, 3)
    for kind, made in outputs(shown).items():
        assert found_in(made) == [], kind
        with Image.open(io.BytesIO(only_file(made) if kind == "archive" else made)) as image:
            assert not image.getexif(), kind
            assert not image.info.keys() & {"comment", "photoshop", "exif", "Author", "Comment", "Title"}, kind


@pytest.mark.parametrize("make", [jpeg, png, webp, avif, heic])
def test_each_format_was_planted_where_its_readers_look(make: Callable[[], bytes]) -> None:
    """A test that looks for what was never there would always pass."""
    pillow_heif.register_heif_opener()
    with Image.open(io.BytesIO(make())) as image:
        image.load()
        read = image.getexif()
        assert read[_ARTIST] == WORDS
        assert CANARY in read.get_ifd(_EXIF_IFD)[_MAKER_NOTE]
        assert read.get_ifd(_GPS_IFD)[1] == "N"
        assert any(form in image.info["icc_profile"] for form in FORMS)
        if make is not png:
            assert CANARY in image.info["xmp"]
        if make is jpeg:
            assert CANARY in image.info["photoshop"][0x0404]
            assert image.info["comment"] == CANARY
        if make is png:
            assert {"Author", "Comment", "Title"} <= image.info.keys()
