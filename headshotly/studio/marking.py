"""Every result says what it is (EU AI Act, Art. 50(2)): in XMP as IPTC defines it, and in signed content credentials.

The file is made from pixels alone, so nothing of the input's metadata can be in it.
"""

import io
from dataclasses import dataclass
from html import escape

from PIL import Image, ImageCms

from headshotly.studio import credentials
from headshotly.studio.credentials import Signatory
from headshotly.studio.faces import Picture

_CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@dataclass(frozen=True, slots=True)
class Origin:
    """How a picture came to be.

    Attributes:
        source: digital source type, an address of the IPTC's list.
        software: what made it.
        actions: what was done, in the words of C2PA.
    """

    source: str
    software: str
    actions: tuple[str, ...]


# A photo composed with the help of a trained algorithm. ADR 0101 says why this and no weaker word.
STUDIO = Origin(
    f"{_CODES}compositeWithTrainedAlgorithmicMedia",
    "HeadShotly portrait engine",
    ("c2pa.cropped", "c2pa.resized", "c2pa.color_adjustments", "c2pa.edited"),
)


def generated(model: str) -> Origin:
    """Return the origin of a picture that a generative model made.

    Args:
        model: its public name.
    """
    return Origin(f"{_CODES}trainedAlgorithmicMedia", f"HeadShotly with {model}", ())


SOURCE_TYPE = STUDIO.source
_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
_QUALITY, _PREVIEW_QUALITY = 95, 85


def _xmp(origin: Origin) -> bytes:
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" Iptc4xmpExt:DigitalSourceType="{escape(origin.source)}"
 Iptc4xmpExt:AISystemUsed="{escape(origin.software)}" xmp:CreatorTool="HeadShotly"/></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>""".encode()


def _jpeg(image: Image.Image, origin: Origin, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(
        out, format="JPEG", quality=quality, subsampling=0, icc_profile=_PROFILE, xmp=_xmp(origin), optimize=True
    )
    return out.getvalue()


def encode(picture: Picture, *, signatory: Signatory, origin: Origin = STUDIO) -> bytes:
    """Return a headshot as a JPEG in sRGB that says what it is, signed.

    Args:
        picture: (height, width, 3) uint8.
        signatory: who signs.
        origin: how it came to be.

    Raises:
        CredentialsUnusable: it could not be signed; an unsigned result is not handed out.
    """
    plain = _jpeg(Image.fromarray(picture), origin, _QUALITY)
    return credentials.sign(
        plain, signatory=signatory, source=origin.source, software=origin.software, actions=origin.actions
    )


def encode_preview(picture: Picture, *, origin: Origin = STUDIO, side: int = 480) -> bytes:
    """Return a small JPEG of a headshot for lists; it names its origin in XMP, but is not signed.

    Args:
        picture: (height, width, 3) uint8.
        origin: how it came to be.
        side: the longest, in pixels.
    """
    image = Image.fromarray(picture)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return _jpeg(image, origin, _PREVIEW_QUALITY)


def encode_sheet(picture: Picture, suffix: str) -> bytes:
    """Return a contact sheet as PNG, or as JPEG where its name asks for that.

    Args:
        picture: (height, width, 3) uint8.
        suffix: of the file's name.
    """
    if suffix.lower() in {".jpg", ".jpeg"}:
        return _jpeg(Image.fromarray(picture), STUDIO, _PREVIEW_QUALITY)
    out = io.BytesIO()
    Image.fromarray(picture).save(out, format="PNG", icc_profile=_PROFILE)
    return out.getvalue()


def source_type(data: bytes) -> str:
    """Return the digital source type that a picture's XMP names, or nothing; the file may come from anybody."""
    start = data.find(b'Iptc4xmpExt:DigitalSourceType="')
    if start < 0:
        return ""
    start += len(b'Iptc4xmpExt:DigitalSourceType="')
    end = data.find(b'"', start, start + 200)
    return data[start:end].decode("utf-8", "replace") if end > 0 else ""
