"""Which passwords are accepted, and what they cost (clause 10.1)."""

import hashlib
import time

import pytest
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from headshotly.accounts import passwords
from headshotly.accounts.errors import BreachListUnreadable, InputRefused
from headshotly.policy import configuration


@pytest.mark.clause("10.1")
@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("short", "at least 12"),
        ("x" * 257, "at most 256"),
        ("ababababababab", "few different"),
        ("password1234567", "easy to guess"),
        ("qwertyuiop1234", "easy to guess"),
        ("headshotly2026!", "easy to guess"),
        ("kanarkowska-4711-b", "name and address"),
    ],
)
def test_weak_passwords_are_refused_in_plain_words(password, word):
    with pytest.raises(InputRefused) as refused:
        passwords.require_strong(password, about=("zofia@example.org", "Zofia Kanarkowska"))
    assert word in refused.value.sentence
    assert password not in refused.value.sentence


@pytest.mark.parametrize("password", ["purple monkey dishwasher quiet", "Xq7#pl0vbn2!Rt", "łódź żółw gęś 41 ćma"])
def test_strong_passwords_pass(password):
    passwords.require_strong(password, about=("zofia@example.org", "Zofia"))


def test_the_judge_is_not_slowed_down_by_long_input():
    began = time.perf_counter()
    with pytest.raises(InputRefused):
        passwords.require_strong("abcde" * 51, about=())
    assert time.perf_counter() - began < 2


@pytest.mark.clause("10.1")
def test_a_password_of_the_operators_breach_list_is_refused(tmp_path, monkeypatch):
    breached = "purple monkey dishwasher quiet"
    hashes = sorted(
        hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest().upper()
        for word in (breached, "a", "b", "c", "d")
    )
    path = tmp_path / "pwned.txt"
    path.write_text("\r\n".join(f"{one}:3" for one in hashes))
    here = configuration.current()
    monkeypatch.setitem(here.options, passwords.BREACHED_FILE, str(path))
    with pytest.raises(InputRefused, match="breach"):
        passwords.require_strong(breached)
    passwords.require_strong("quiet dishwasher monkey purple")


@given(st.sets(st.text(min_size=1, max_size=8), min_size=1, max_size=60), st.text(max_size=8))
def test_the_search_in_the_sorted_file_agrees_with_a_set(tmp_path_factory, words, probe):
    path = tmp_path_factory.mktemp("hashes") / "sorted"
    hashes = sorted(hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest().upper() for word in words)
    path.write_text("\n".join(f"{one}:{len(one)}" for one in hashes) + "\n")
    assert all(passwords.in_sorted_hashes(path, word) for word in words)
    assert passwords.in_sorted_hashes(path, probe) == (probe in words)


@pytest.mark.clause("10.1")
def test_hashing_is_argon2id_with_at_least_the_recommended_work():
    from headshotly.frontdoor import settings as production  # the suite's own settings hash faster

    assert production.PASSWORD_HASHERS == ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    hasher = Argon2PasswordHasher()
    encoded = hasher.encode("x", "saltsaltsalt")
    assert encoded.startswith("argon2$argon2id$")
    assert hasher.memory_cost >= 19 * 1024  # KiB, OWASP password storage cheat sheet
    assert hasher.time_cost >= 2
    assert settings.AUTH_USER_MODEL == "accounts.Customer"


@pytest.mark.clause("10.1")
def test_a_folder_of_ranges_is_searched_too_and_a_missing_range_is_never_a_yes(tmp_path, monkeypatch):
    breached = "purple monkey dishwasher quiet"
    digits = hashlib.sha1(breached.encode(), usedforsecurity=False).hexdigest().upper()
    (tmp_path / f"{digits[:5]}.txt").write_text(f"{'0' * 35}:1\r\n{digits[5:]}:12\r\n")
    monkeypatch.setitem(configuration.current().options, passwords.BREACHED_FILE, str(tmp_path))
    with pytest.raises(InputRefused, match="breach"):
        passwords.require_strong(breached)
    with pytest.raises(BreachListUnreadable):
        passwords.require_strong("quiet dishwasher monkey purple")


@pytest.mark.parametrize("content", [None, b""])
def test_a_list_that_cannot_be_read_is_said_in_plain_words(tmp_path, monkeypatch, content):
    path = tmp_path / "pwned.txt"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setitem(configuration.current().options, passwords.BREACHED_FILE, str(path))
    with pytest.raises(BreachListUnreadable, match="cannot be checked"):
        passwords.require_strong("quiet dishwasher monkey purple")
