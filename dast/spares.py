"""Accounts made for what ends accounts, sessions and tokens: as many as are used up."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from dast import serving
from dast.results import ScanFailed
from dast.serving import Service

_NUMBERS = count()
CONSENT = "headshot-generation"  # what they agreed to
# Made beside the service, as its own tests make them: through its pages they would cost a second each and more, and the
# service rightly sends no more than twenty mails an hour to one visitor.
_MAKE = """
import json, sys, django
django.setup()
import pyotp
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from headshotly.access import services as access
from headshotly.access.middleware import STAFF_COOKIE
from headshotly.accounts import entering, links, services
from headshotly.accounts.models import Customer
from headshotly.audit.actor import SYSTEM, Actor
from headshotly.integrations import tokens
from headshotly.policy import clock
from headshotly.purposes import services as consents
from headshotly.purposes.texts import current_text
wanted = json.loads(sys.argv[1])
hashed, activity = make_password(wanted["password"]), wanted["consent"]

def create(name):
    actor = Actor(kind="visitor")
    return services._create(actor=actor, address=f"{name}@example.org", name="Zofia Skanowska", hashed=hashed)

def customer(number):
    one = create(f"{wanted['name']}{number}")
    Customer.objects.filter(id=one.id).update(confirmed_at=clock.now())
    actor, now = Actor(kind="customer", id=one.id), clock.now().isoformat()
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session.update({SESSION_KEY: str(one.pk), BACKEND_SESSION_KEY: entering.BACKEND, "device": "scan",
                    "started_at": now, HASH_SESSION_KEY: one.get_session_auth_hash(), entering._PROVED: now})
    session.create()
    token = tokens.issue(actor=actor, subject=one.id, name="scan", scopes=sorted(tokens.SCOPES), days=1)
    version = current_text(activity, "en").version
    consents.give_consent(actor=actor, subject=one.id, activity=activity, version=version)
    cookies = {settings.SESSION_COOKIE_NAME: session.session_key}
    return {"subject": str(one.id), "token": token, "cookies": cookies}

def member(role, number):
    link = access.create_staff(actor=SYSTEM, handle=f"{wanted['name']}-{role}-{number}", role=role)
    token = link.rstrip("/").rsplit("/", 1)[1]
    code = pyotp.TOTP(access.totp_secret(token)).at(int(clock.now().timestamp()))
    one = access.enrol(token=token, password=wanted["password"], code=code)
    return {STAFF_COOKIE: access._start_session(one)}

made = [customer(number) for number in range(wanted["customers"] + 1)]
reset = Customer.objects.get(id=made[0]["subject"])
fresh = create(f"{wanted['name']}-unconfirmed")
by_mail = {"confirm": links.make(fresh, "confirm"), "reset": links.make(reset, "reset")}
staff = {role: [member(role, number) for number in range(count)] for role, count in wanted["staff"].items()}
print(json.dumps({"customers": made[1:], "links": by_mail, "staff": staff}))
"""


@dataclass(frozen=True, slots=True)
class Spare:
    """One customer.

    Attributes:
        subject: their pseudonym.
        token: that may do everything a token can.
        cookies: of a session that just proved who it is.
    """

    subject: str
    token: str
    cookies: Mapping[str, str]


class Spares:
    """Customers and members of staff, handed out one after the other.

    Attributes:
        links: what a mailed link ends in: to ``confirm`` one customer's address, to ``reset`` another's password.
    """

    def __init__(self, service: Service, *, customers: int, staff: Mapping[str, int]) -> None:
        """Make them.

        Args:
            service: that runs.
            customers: how many.
            staff: role → how many.

        Raises:
            ScanFailed: the service did not take one.
        """
        wanted = {"customers": customers, "staff": staff, "password": serving.PASSWORD, "consent": CONSENT,
                  "name": f"spare{next(_NUMBERS)}x"}  # fmt: skip
        made = json.loads(serving.beside(service, "-c", _MAKE, json.dumps(wanted)))
        self.links: Mapping[str, str] = made["links"]
        self._customers = [Spare(one["subject"], one["token"], one["cookies"]) for one in made["customers"]]
        self._staff: dict[str, list[dict[str, str]]] = made["staff"]
        self._lock = threading.Lock()

    def take(self) -> Spare:
        """Return a customer that nobody had.

        Raises:
            ScanFailed: there is none left.
        """
        with self._lock:
            if not self._customers:
                raise ScanFailed("More accounts were ended than were made for it.")
            return self._customers.pop()

    def member(self, role: str) -> dict[str, str]:
        """Return the cookies of a member of staff who just showed both factors, and whom nobody had.

        Raises:
            ScanFailed: there is none left.
        """
        with self._lock:
            if not self._staff.get(role):
                raise ScanFailed(f"More members ({role}) were ended than were made for it.")
            return self._staff[role].pop()
