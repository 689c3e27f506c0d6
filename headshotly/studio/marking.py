"""Every result says what it is: an edited photo (EU AI Act, Art. 50(2)), in XMP as IPTC defines it.

The file is made from pixels alone, so nothing of the input's metadata can be in it.
"""

import io

from PIL import Image, ImageCms

from headshotly.studio.faces import Picture

# https://cv.iptc.org/newscodes/digitalsourcetype: a photo composed with the help of a trained algorithm.
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"
 xmp:CreatorTool="HeadShotly"/></rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
_PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
_QUALITY = 95


def encode(picture: Picture) -> bytes:
    """Return a headshot as a JPEG in sRGB that names its digital source type.

    Args:
        picture: (height, width, 3) uint8.
    """
    out = io.BytesIO()
    Image.fromarray(picture).save(
        out, format="JPEG", quality=_QUALITY, subsampling=0, icc_profile=_PROFILE, xmp=_XMP.encode(), optimize=True
    )
    return out.getvalue()
