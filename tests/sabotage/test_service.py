"""The running service, broken: sections 1.2, 3.1, 10.2, 11 and 12."""

import dataclasses
import functools
import ssl

import pytest
from django.http import HttpResponse

from headshotly.accounts import totp
from headshotly.frontdoor import middleware
from headshotly.frontdoor import views as pages
from headshotly.policy import configuration, dates
from headshotly.policy.permission import _MARK
from headshotly.proof.scene import Scene
from headshotly.purposes import notice_views, notices
from headshotly.rights import legal_texts, publishing
from headshotly.rights import views as rights_pages
from tests.rights.conftest import DPO
from tests.sabotage.conftest import InProcess, weak_context

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.mark.sabotage("tls_versions", "the server accepts TLS 1.0")
def test_old_tls(watch, service, listen) -> None:
    service.host, service.port = "127.0.0.1", listen()
    watch.is_content()
    service.port = listen(functools.partial(weak_context, version=ssl.TLSVersion.TLSv1))
    watch.is_broken("TLS 1.0")


@pytest.mark.sabotage("tls_versions", "the server speaks TLS 1.2 no more")
def test_new_tls_is_gone(watch, service, listen) -> None:
    service.host, service.port = "127.0.0.1", listen(functools.partial(weak_context, version=ssl.TLSVersion.TLSv1_3))
    watch.is_broken("TLS 1.2")


@pytest.mark.sabotage("https_only", "a page is served over plain HTTP")
def test_plain_pages(watch, service) -> None:
    watch.is_content()

    def talks(environ, start_response):
        start_response("200 OK", [])
        return [b"Welcome"]

    service.plain = talks
    watch.is_broken("http /account/sign-in/")


@pytest.mark.sabotage("https_only", "browsers are not told to stay with HTTPS")
def test_no_hsts(watch, settings) -> None:
    settings.SECURE_HSTS_SECONDS = 0
    watch.is_broken("hsts /")


@pytest.mark.sabotage("cookie_flags", "a cookie may travel over plain HTTP")
def test_loose_cookie(watch, settings) -> None:
    watch.is_content()
    settings.CSRF_COOKIE_SECURE = False
    watch.is_broken("__Host-csrf lacks secure")


@pytest.mark.sabotage("pages_load_nothing_foreign", "a page loads a script from a CDN")
def test_a_foreign_script(watch, monkeypatch) -> None:
    watch.is_content()
    html = '<script src="https://cdn.example/x.js"></script>'
    monkeypatch.setattr(pages, "render", lambda *_args, **_more: HttpResponse(html))
    watch.is_broken("/ loads https://cdn.example/x.js")


@pytest.mark.sabotage("pages_load_nothing_foreign", "the content security policy lets a browser go elsewhere")
def test_a_loose_policy(watch, monkeypatch) -> None:
    loose = middleware._CONTENT_SECURITY_POLICY.replace("script-src 'self'", "script-src 'self' https://ads.example")
    monkeypatch.setattr(middleware, "_CONTENT_SECURITY_POLICY", loose)
    watch.is_broken("script-src https://ads.example")


@pytest.mark.sabotage("privacy_signal_honoured", "a proxy takes the privacy signal away")
def test_a_deaf_service(watch, service) -> None:
    watch.is_content()
    service.without.add("Sec-GPC")
    watch.is_broken("/privacy/choices/")


@pytest.mark.sabotage("notice_is_the_declarations", "the notice leaves an activity out")
def test_a_notice_that_says_less(watch, monkeypatch) -> None:
    watch.is_content()
    whole = notices.privacy_notice

    def less(operator):
        return dataclasses.replace(whole(operator), lines=whole(operator).lines[1:])

    monkeypatch.setattr(notice_views.notices, "privacy_notice", less)
    left_out = notices.about_customers()[0].id
    watch.is_broken(f"/privacy/ does not name {left_out}")


@pytest.mark.sabotage("contact_on_pages", "pages no longer say where to report weaknesses")
def test_pages_without_an_address(watch, settings) -> None:
    watch.is_content()
    here = configuration.current()
    operator = dataclasses.replace(here.operator, security_email="nobody@example.org")
    settings.HEADSHOTLY = dataclasses.replace(here, operator=operator)
    watch.is_broken(f"lacks {here.operator.security_email}")


@pytest.mark.sabotage("policy_is_published", "the page shows a text that is not the published one")
def test_another_text_is_published(watch, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setitem(legal_texts._SOURCES, legal_texts.POLICY, lambda: "# Security policy\n\nWe promise less.\n")
    publishing.publish(
        actor=DPO,
        document=legal_texts.POLICY,
        effective_on=dates.day_of(watch.scene.now),
        summary="We promise less than before.",
    )
    watch.is_broken("The page is not the version of")


@pytest.mark.sabotage("rights_are_open", "a page with somebody's data asks nobody to sign in")
def test_an_open_account_page(watch, monkeypatch) -> None:
    watch.is_content()
    monkeypatch.setattr(rights_pages.home, _MARK, "public")
    watch.is_broken("/your-data/")


@pytest.mark.sabotage("staff_pages_are_closed", "a page for staff opens to strangers")
def test_an_open_staff_page(watch, monkeypatch) -> None:
    from headshotly.access import views

    watch.is_content()
    monkeypatch.setattr(views.desk, _MARK, "public")
    watch.is_broken("/staff/")


@pytest.mark.sabotage("second_factor_works", "every code counts")
def test_any_code_counts(watch, monkeypatch) -> None:
    watch.is_content()
    present = int(watch.scene.now.timestamp()) // 30
    monkeypatch.setattr(totp, "matching_step", lambda _secret, _code: present)
    watch.is_broken("a code of another hour")


@pytest.mark.sabotage("second_factor_works", "the page for an authenticator app is gone")
def test_no_page_for_the_app(scene, watch, monkeypatch) -> None:
    class Gone(InProcess):
        def fetch(self, path, headers=None):
            return super().fetch("/nothing/" if path == "/account/protection/app/" else path, headers)

    gone = Gone()
    watch.scene = Scene(find_service=lambda: gone)
    watch.is_broken("/account/protection/app/")
