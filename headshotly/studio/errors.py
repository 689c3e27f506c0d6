"""Why the studio refuses, one plain sentence each."""

from headshotly.policy.refusal import Refusal


class PhotoUnreadable(Refusal):
    """The file cannot be turned into a picture."""

    code = "photo.unreadable"
    status = 422


class PhotoTooLarge(Refusal):
    """The file or the picture in it is larger than accepted."""

    code = "photo.too_large"
    status = 413


class StudioBusy(Refusal):
    """Every decoding sandbox is taken for too long."""

    code = "studio.busy"
    status = 503


class DecodingUnavailable(Refusal):
    """No decoding sandbox can be had on this system, or not now; the photo has nothing to do with it."""

    code = "studio.decoding_unavailable"
    status = 503


class ModelsMissing(Refusal):
    """The face models are not there or not the ones we trust."""

    code = "studio.models_missing"
    status = 503


class CredentialsUnusable(Refusal):
    """Nothing can be signed with the certificate at hand; an unsigned result is not handed out."""

    code = "studio.credentials_unusable"
    status = 503


class PainterFailed(Refusal):
    """The generative model's process failed, or its weights may not be loaded."""

    code = "studio.painter_failed"
    status = 503


class PromptRefused(Refusal):
    """Somebody tried to have a generative model paint something in words that are not ours."""

    code = "studio.prompt_refused"
    status = 422


class NothingSafePainted(Refusal):
    """Every candidate was refused by the safety gate."""

    code = "studio.nothing_safe"
    status = 422


class StyleUnknown(Refusal):
    """There is no such style, or its colour is none."""

    code = "studio.style_unknown"
    status = 422


class NoFaceToFrame(Refusal):
    """The picture holds no face a headshot could be made of."""

    code = "photo.no_face"
    status = 422


class TooSmallForStyle(Refusal):
    """The photo holds fewer pixels than the style demands, and small faces are not enlarged."""

    code = "photo.too_small_for_style"
    status = 422


class NotFound(Refusal):
    """There is no such thing, or it is somebody else's: the same answer."""

    code = "studio.not_found"
    status = 404


class LimitReached(Refusal):
    """More photos, or more waiting shoots, than one customer may have."""

    code = "studio.limit"
    status = 409


class NotNow(Refusal):
    """The shoot is in a state that does not allow this."""

    code = "studio.not_now"
    status = 409
