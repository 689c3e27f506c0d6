"""Buying at the test checkout: prices, an order, its receipt, the money back; seats for a team; in Polish too."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Service, Visit
from tests.journeys.steps import consent, look, sign_up

pytestmark = [pytest.mark.journey, pytest.mark.clause("7.1.a")]


def buy(page: Page, button: str) -> None:
    page.goto("/orders/prices/")
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_text("Test checkout. No money moves")).to_be_visible()


def test_buying_and_getting_the_money_back(page: Page, service: Service) -> None:
    page.goto("/orders/prices/")
    look(page, "prices-visitor")
    sign_up(page, service)
    consent(page)
    buy(page, "Buy")
    look(page, "test-checkout")
    page.get_by_label("Coupon, if you have one").fill("REHEARSAL10")
    page.get_by_role("button", name="Pretend to pay").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you")
    expect(page.get_by_text("€26.10")).to_be_visible()
    look(page, "order-paid")
    with page.expect_download() as receipt:
        page.get_by_role("link", name="Receipt (PDF)").click()
    assert re.fullmatch(r"HS-\d{4}-000001\.pdf", receipt.value.suggested_filename)
    page.get_by_text("Give my money back").click()
    page.get_by_role("button", name="Yes, give it back").click()
    expect(page.get_by_text("Refunded", exact=True)).to_be_visible()
    look(page, "order-refunded")
    page.get_by_role("link", name="All orders").click()
    expect(page.get_by_role("table")).to_contain_text("€26.10 went back")
    look(page, "orders")


def test_a_team_and_its_links_on_a_phone_and_in_polish(visit: Visit, service: Service) -> None:
    page = visit(viewport={"width": 375, "height": 800}, color_scheme="dark")
    sign_up(page, service)
    consent(page)
    page.goto("/orders/prices/")
    look(page, "prices-phone-dark")
    page.get_by_label("How many people").fill("3")
    page.get_by_role("button", name="Buy for the team").click()
    page.get_by_role("button", name="Pretend to pay").click()
    expect(page.get_by_text("0 of 3 taken")).to_be_visible()
    look(page, "team-phone-dark")
    page.get_by_role("button", name=re.compile("^New link")).first.click()
    link = page.locator(".seat__link code").inner_text()
    look(page, "seat-link-phone-dark")
    page.goto(link)
    look(page, "seat-phone-dark")
    page.get_by_role("button", name="Take the seat").click()
    expect(page.get_by_text("The seat is yours")).to_be_visible()
    page.get_by_role("button", name="Polski").click()
    page.goto("/orders/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Zamówienia")
    look(page, "orders-phone-polish")
    page.goto("/orders/prices/")
    expect(page.get_by_text("29,00 €")).to_be_visible()
    look(page, "prices-phone-polish")
