"""English and Polish on the whole customer's side: every word, dates, numbers, mails, and the switch."""

import datetime as dt
import gettext as standard
import html
import os
import re

import pytest

from headshotly.policy import wording
from tests.accounts.conftest import EMAIL, NAME, PASSWORD, browser, mail_text, mails, newest_link
from tests.languages import catalogue

pytestmark = pytest.mark.django_db(databases="__all__")

_PLACES = re.compile(r"%\(\w+\)s|#|\{\w+\}")


@pytest.fixture(scope="module", autouse=True)
def _written():
    if os.environ.get("HEADSHOTLY_WRITE_TABLES"):
        catalogue.write()


def test_every_word_of_the_customers_side_has_its_polish():
    kept, missing = catalogue.kept(), []
    for singular, context in catalogue.wanted():
        found = kept.get(singular, context)
        said = found.string if found else ""
        if not said or (isinstance(said, tuple) and not all(said)) or (found and found.fuzzy):
            missing.append(singular)
    assert not missing, f"{len(missing)} without Polish; see tests/languages/catalogue.py: {missing[:10]}"


def test_the_catalogue_holds_nothing_that_nobody_says():
    wanted = set(catalogue.wanted()) | {(words, None) for words in catalogue.optional()}
    assert [
        entry.id for entry in catalogue.kept() if entry.id and (_single(entry.id), entry.context) not in wanted
    ] == []


def _single(message):
    return message[0] if isinstance(message, tuple | list) else message


def test_translations_keep_every_place_for_facts():
    broken = []
    for entry in catalogue.kept():
        if not entry.id:
            continue
        places = sorted(_PLACES.findall(entry.id[-1] if isinstance(entry.id, tuple | list) else entry.id))
        forms = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
        broken += [form for form in forms if sorted(_PLACES.findall(form)) != places]
    assert broken == []


def test_what_runs_is_what_is_written():
    with catalogue.MO.open("rb") as file:
        running = standard.GNUTranslations(file)
    for entry in catalogue.kept():
        if entry.id and isinstance(entry.id, str):
            said = running.pgettext(entry.context, entry.id) if entry.context else running.gettext(entry.id)
            assert said == entry.string


_MARKUP = re.compile(
    r"\{% blocktranslate.*?endblocktranslate %\}|\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<svg.*?</svg>|<code>.*?</code>",
    re.DOTALL,
)
_SPOKEN_ATTRIBUTES = re.compile(r"\b(?:alt|aria-label|title|placeholder)=\"([^\"]*)\"")
# Names, and words that are the same in every language.
_DATA = re.compile(r"\bdata-[a-z-]+=\"\s*\"")
_NAMES = re.compile(r"HeadShotly|English|Polski|JSON|SHA-256|security\.txt|JPEG|PNG|ZIP")


@pytest.mark.parametrize("path", catalogue.customer_templates(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_template_of_the_customers_side_has_words_that_cannot_be_translated(path):
    """Words in a text node or in an attribute that is read aloud, outside every translation tag."""
    left = _MARKUP.sub(" ", path.read_text(encoding="utf-8"))
    bare = [
        text for text in re.split(r"<[^>]*>", _DATA.sub(" ", left)) if re.search(r"[A-Za-z]{2}", _NAMES.sub("", text))
    ]
    bare += [text for text in _SPOKEN_ATTRIBUTES.findall(left) if re.search(r"[A-Za-z]{2}", _NAMES.sub("", text))]
    assert [" ".join(text.split()) for text in bare] == []


@pytest.mark.parametrize("path", catalogue.customer_templates(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_date_is_written_in_the_language_of_the_page(path):
    template = path.read_text(encoding="utf-8")
    assert '|date:"' not in template, "use |day or |moment"
    assert not re.search(r"get_\w+_display(?!\|said)\b(?!\|said)", template), "use |said"


def _polish(client):
    client.post("/language/", {"language": "pl", "next": "/"})
    return client


_PUBLIC = (
    "/", "/account/sign-up/", "/account/sign-in/", "/account/reset/", "/account/check-mail/", "/policy/", "/privacy/",
    "/privacy/collection/", "/vendors/", "/privacy/contact/", "/privacy/choices/", "/privacy/ask/", "/documents/", "/nothing/here/", "/api/",
)  # fmt: skip
_SIGNED_IN = (
    "/account/settings/", "/account/protection/", "/account/prove/", "/account/protection/app/", "/opened/", "/your-data/",
    "/your-data/everything/", "/your-data/where/", "/your-data/delete/", "/consent/headshot-generation/", "/studio/delete-everything/",
    "/account/programs/", "/account/programs/tokens/new/", "/account/programs/webhooks/new/",
)  # fmt: skip
# Words every English page of ours is full of, and no Polish one holds.
_ENGLISH = re.compile(r"\b(?:the|your|you|we|of|is|are|and|please|until|not)\b", re.IGNORECASE)


def _said_aloud(page: str) -> str:
    page = re.sub(
        r"<code>.*?</code>|<script.*?</script>|<svg.*?</svg>|<form class=\"languages\".*?</form>",
        " ",
        page,
        flags=re.DOTALL,
    )
    aloud = " ".join(_SPOKEN_ATTRIBUTES.findall(page))
    text = html.unescape(re.sub(r"<[^>]*>", " ", page) + " " + aloud)
    return re.sub(r"\S+@\S+|https?://\S+|Do Not Sell|Opt-Out Request Honored|Attorney General of|Civ\. Code", " ", text)


@pytest.mark.parametrize("address", _PUBLIC)
def test_every_public_page_is_wholly_polish(db_all, client, address):
    page = _polish(client).get(address).content.decode()
    assert '<html lang="pl">' in page
    assert _ENGLISH.findall(_said_aloud(page)) == []


@pytest.mark.parametrize("address", _SIGNED_IN)
def test_every_page_of_an_account_is_wholly_polish(signed_in, address):
    answer = _polish(signed_in).get(address)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert '<html lang="pl">' in page
    assert _ENGLISH.findall(_said_aloud(page)) == []


def test_the_studio_is_wholly_polish(signed_in, customer):
    from headshotly.audit.actor import Actor
    from headshotly.policy import clock
    from headshotly.purposes.services import give_consent
    from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text
    from headshotly.studio.models import Photo, Shoot

    give_consent(
        actor=Actor(kind="customer", id=customer.id),
        subject=customer.id,
        activity=HEADSHOT_GENERATION,
        version=current_text(HEADSHOT_GENERATION).version,
    )
    Photo.objects.create(
        subject=customer.id,
        object_id=customer.id,
        preview_id=customer.id,
        sentence="This photo will do. Your face is 180 pixels wide, so your headshot will be about 310 × 388 pixels.",
        advice="We do not enlarge faces under 250 pixels: a larger photo gives a larger headshot.",
        score=0.5,
        received_at=clock.now(),
    )
    shoot = Shoot.objects.create(
        subject=customer.id,
        photo_ids=[],
        style_ids=[],
        created_at=clock.now(),
        steps_total=3,
        step="photo 1 of 3: cutting out",
    )
    _polish(signed_in)
    page = signed_in.get("/studio/").content.decode()
    assert _ENGLISH.findall(_said_aloud(page)) == []
    assert "Szerokość Twojej twarzy to 180 px, więc portret będzie miał około 310 × 388 px." in page
    page = signed_in.get(f"/studio/shoots/{shoot.id}/").content.decode()
    assert _ENGLISH.findall(_said_aloud(page)) == []
    assert "zdjęcie 1 z 3: wycinanie postaci" in page


def test_the_browsers_language_counts_until_somebody_chooses(db_all, client):
    assert '<html lang="pl">' in client.get("/", HTTP_ACCEPT_LANGUAGE="pl-PL,pl;q=0.9,en;q=0.5").content.decode()
    assert '<html lang="en">' in client.get("/", HTTP_ACCEPT_LANGUAGE="de").content.decode()
    client.post("/language/", {"language": "en", "next": "/"})
    assert '<html lang="en">' in client.get("/", HTTP_ACCEPT_LANGUAGE="pl").content.decode()


def test_the_switch_goes_back_to_this_site_only_and_speaks_what_there_is(db_all, client):
    assert client.post("/language/", {"language": "pl", "next": "/policy/"}).url == "/policy/"
    for next_page in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "a|sleep 60;"):
        answer = client.post("/language/", {"language": "en", "next": next_page})
        # Where the inspection of requests does not refuse it first, the page does.
        assert answer.status_code == 403 or answer.url == "/"
    answer = client.post("/language/", {"language": "tlh", "next": "/"})
    assert "__Host-language" not in answer.cookies
    strict = browser(strict=True)
    assert strict.post("/language/", {"language": "pl"}).status_code == 403


def test_the_staff_console_speaks_english_to_everybody(db_all, client):
    page = _polish(client).get("/staff/sign-in/").content.decode()
    assert '<html lang="en">' in page
    assert "Staff sign-in" in page


def test_dates_are_written_as_each_language_writes_them():
    moment = dt.datetime(2026, 11, 27, 15, 40, tzinfo=dt.UTC)
    with wording.speaking("pl"):
        assert wording.day(moment.date()) == "27 listopada 2026"
        assert wording.moment(moment) == "27 listopada 2026, 16:40 CET"
    with wording.speaking("en"):
        assert wording.moment(moment) == "27 November 2026, 16:40 CET"
    with wording.speaking("tlh"):
        assert wording.day(moment) == "27 November 2026"


def test_numbers_in_a_customers_data_are_written_as_each_language_writes_them():
    from headshotly.rights.access_reply import flat

    held = {"photos": [{"score": 0.5, "received_at": None}], "second_factor": True}
    with wording.speaking("pl"):
        assert flat(held) == [("zdjęcia 1, ocena", "0,5"), ("zdjęcia 1, otrzymano", "-"), ("drugi składnik", "tak")]
    with wording.speaking("en"):
        assert flat(held) == [("photos 1, score", "0.5"), ("photos 1, received at", "-"), ("second factor", "yes")]


def test_refusals_mails_and_notices_come_in_the_persons_language(db_all, client):
    _polish(client)
    weak = client.post("/account/sign-up/", {"name": NAME, "email": EMAIL, "password": "short"}).content.decode()
    assert "Użyj co najmniej 12 znaków." in weak
    client.post("/account/sign-up/", {"name": NAME, "email": EMAIL, "password": PASSWORD})
    assert "Witamy." in mail_text(mails()[-1])
    token = newest_link().split("/")[3]
    client.post(f"/account/confirm/{token}/", {"password": PASSWORD})
    # A thief with an English browser does not choose the language of the warning.
    thief = browser(HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Firefox/140")
    thief.post("/account/sign-in/", {"email": EMAIL, "password": PASSWORD})
    told = mail_text(mails()[-1])
    assert "Ktoś zalogował się na Twoje konto: Firefox · Windows." in told
    assert "Kiedy: " in told


def test_a_consent_proves_the_words_in_the_language_that_was_shown(signed_in, customer):
    from headshotly.purposes.selectors import consent_history, consent_in_force
    from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text

    page = _polish(signed_in).get("/consent/headshot-generation/").content.decode()
    polish = current_text(HEADSHOT_GENERATION, "pl")
    assert polish.statement in page
    assert polish.sha256 != current_text(HEADSHOT_GENERATION).sha256
    signed_in.post(
        "/consent/headshot-generation/",
        {"agree": "yes", "version": polish.version, "language": "pl", "next": "/studio/"},
    )
    assert [one.text_sha256 for one in consent_history(customer.id)] == [polish.sha256]
    assert consent_in_force(customer.id, HEADSHOT_GENERATION)
    assert signed_in.get("/studio/").status_code == 200
