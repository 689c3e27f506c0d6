"""A stand-in for Stripe, served over HTTP, which the official library talks to: the calls we make, and their faults.

It keeps sessions, payments and refunds in memory, honours idempotency keys, and signs messages as Stripe documents.
It is not Stripe: what it proves is that our side sends and reads what it should, not that Stripe agrees.
"""

import hashlib
import hmac
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECRET = "whsec_stand_in"
KEY = "sk_test_stand_in"


def nested(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """Return a form such as ``a[b][0]=c`` as nested dictionaries."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        keys = re.findall(r"[^\[\]]+", name)
        here = found
        for key in keys[:-1]:
            here = here.setdefault(key, {})
        here[keys[-1]] = value
    return found


class Stripe:
    """The account behind the stand-in.

    Attributes:
        fail: how the next calls end: ``down`` (did not happen), ``late`` (happened, but reported failure), or "".
        calls: every call, as method and path.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, tuple[int, dict[str, Any]]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.customers: set[str] = set()
        self.fail = ""
        self.calls: list[str] = []
        self.forms: list[dict[str, Any]] = []
        self.disputed: set[str] = set()
        self._moment = int(time.time()) - 10_000
        self._lock = threading.Lock()
        account = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = nested(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
                self._answer(*account.answer("POST", self.path, form, self.headers.get("Idempotency-Key", "")))

            def do_GET(self) -> None:
                self._answer(*account.answer("GET", self.path, {}, ""))

            def do_DELETE(self) -> None:
                self._answer(*account.answer("DELETE", self.path, {}, ""))

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Stripe-Should-Retry", "false")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def now(self) -> int:
        """A moment of its own for everything that happens."""
        self._moment += 1
        return self._moment

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, form: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        with self._lock:
            where = urlsplit(path).path
            self.calls.append(f"{method} {where}")
            self.forms.append(form)
            trouble = (500, {"error": {"type": "api_error", "message": "stand-in trouble"}})
            if self.fail == "down":
                return trouble
            if key and key in self.answers:
                answered = self.answers[key]
            else:
                answered = self._do(method, where, path, form)
                if key:
                    self.answers[key] = answered
            return trouble if self.fail == "late" else answered

    def _do(self, method: str, where: str, path: str, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:  # noqa: PLR0911 - one call each
        match (method, where.removeprefix("/v1/").split("/")):
            case ("POST", ["checkout", "sessions"]):
                return 200, self._session(form)
            case ("GET", ["checkout", "sessions"]):
                return 200, listed([self._seen(one) for one in reversed(self.sessions.values())], where)
            case ("GET", ["checkout", "sessions", name]) if name in self.sessions:
                return 200, self._seen(self.sessions[name])
            case ("GET", ["events"]):
                return 200, listed(list(reversed(self.events)), where)
            case ("POST", ["refunds"]):
                return self._refund(form)
            case ("GET", ["refunds"]):
                wanted = dict(parse_qsl(urlsplit(path).query)).get("payment_intent")
                found = [one for one in self.refunds.values() if wanted in {None, one["payment_intent"]}]
                return 200, listed(found, where)
            case ("POST", ["billing_portal", "sessions"]):
                return 200, {"id": "bps_1", "object": "billing_portal.session", "url": "https://billing.stripe.test/p"}
            case ("DELETE", ["customers", name]) if name in self.customers:
                self.customers.remove(name)
                return 200, {"id": name, "object": "customer", "deleted": True}
        missing = {"type": "invalid_request_error", "code": "resource_missing", "message": f"no {where}"}
        return 404, {"error": missing}

    def _session(self, form: dict[str, Any]) -> dict[str, Any]:
        number = len(self.sessions) + 1
        item = form["line_items"]["0"]
        total = int(item["quantity"]) * int(item["price_data"]["unit_amount"])
        made = {
            "id": f"cs_test_{number}", "object": "checkout.session", "status": "open", "payment_status": "unpaid",
            "client_reference_id": form["client_reference_id"], "metadata": form["metadata"], "amount_total": total,
            "currency": item["price_data"]["currency"], "payment_intent": None, "customer": None,
            "total_details": {"amount_tax": 0, "amount_discount": 0}, "created": self.now(),
            "url": f"https://checkout.stripe.test/c/{number}",
        }  # fmt: skip
        self.sessions[made["id"]] = made
        return dict(made)

    def _seen(self, session: dict[str, Any]) -> dict[str, Any]:
        charge = self.charges.get(session["payment_intent"] or "")
        if charge is None:
            return dict(session)
        intent = {"id": session["payment_intent"], "object": "payment_intent", "latest_charge": dict(charge)}
        return {**session, "payment_intent": intent}

    def _refund(self, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        charge = self.charges[form["payment_intent"]]
        amount = int(form["amount"])
        if form["payment_intent"] in self.disputed:
            return 400, {"error": {"type": "invalid_request_error", "code": "charge_disputed", "message": "disputed"}}
        if charge["amount_refunded"] == charge["amount"]:
            gone = {"type": "invalid_request_error", "code": "charge_already_refunded", "message": "gone already"}
            return 400, {"error": gone}
        if charge["amount_refunded"] + amount > charge["amount"]:
            return 400, {"error": {"type": "invalid_request_error", "param": "amount", "message": "more than was paid"}}
        charge["amount_refunded"] += amount
        made = {
            "id": f"re_{len(self.refunds) + 1}", "object": "refund", "amount": amount, "status": "succeeded",
            "payment_intent": form["payment_intent"], "metadata": form.get("metadata", {}), "currency": "eur",
            "created": self.now(),
        }  # fmt: skip
        self.refunds[made["id"]] = made
        self._tell("refund.created", made)
        return 200, dict(made)

    def _tell(self, kind: str, about: dict[str, Any]) -> None:
        name = f"evt_{len(self.events) + 1}"
        made = {"id": name, "object": "event", "type": kind, "created": self.now(), "data": {"object": dict(about)}}
        self.events.append(made)

    # what a customer, a bank or somebody in Stripe's dashboard does

    def pay(self, session_id: str, *, percent_off: int = 0) -> None:
        session = self.sessions[session_id]
        number = session_id.rsplit("_", 1)[1]
        total = session["amount_total"] * (100 - percent_off) // 100
        session["total_details"]["amount_discount"] = session["amount_total"] - total
        session |= {"status": "complete", "amount_total": total, "customer": f"cus_{number}"}
        session["payment_status"] = "paid" if total else "no_payment_required"
        self.customers.add(f"cus_{number}")
        if total:
            session["payment_intent"] = f"pi_{number}"
            self.charges[f"pi_{number}"] = {
                "id": f"ch_{number}", "object": "charge", "amount": total, "amount_refunded": 0,
                "currency": session["currency"], "payment_intent": f"pi_{number}", "created": session["created"],
                "metadata": session["metadata"],
            }  # fmt: skip
        self._tell("checkout.session.completed", session)

    def expire(self, session_id: str) -> None:
        self.sessions[session_id]["status"] = "expired"
        self._tell("checkout.session.expired", self.sessions[session_id])

    def refund_by_hand(self, payment_ref: str, amount: int) -> None:
        self._refund({"payment_intent": payment_ref, "amount": amount})

    def return_refund(self, refund_id: str) -> None:
        """The bank could not pay a refund out."""
        refund = self.refunds[refund_id]
        refund["status"] = "failed"
        self.charges[refund["payment_intent"]]["amount_refunded"] -= refund["amount"]
        self._tell("refund.failed", refund)

    def dispute(self, payment_ref: str, *, name: str = "du_1") -> None:
        self.disputed.add(payment_ref)
        self._tell("charge.dispute.created", self._dispute(payment_ref, name, "needs_response"))

    def close_dispute(self, payment_ref: str, *, won: bool, name: str = "du_1") -> None:
        self._tell("charge.dispute.closed", self._dispute(payment_ref, name, "won" if won else "lost"))
        if won:
            self.disputed.discard(payment_ref)

    def _dispute(self, payment_ref: str, name: str, status: str) -> dict[str, Any]:
        charge = self.charges[payment_ref]
        left = charge["amount"] - charge["amount_refunded"]
        return {
            "id": name, "object": "dispute", "status": status, "payment_intent": payment_ref, "amount": left,
            "currency": charge["currency"], "charge": charge["id"], "metadata": {},
        }  # fmt: skip


def listed(data: list[dict[str, Any]], where: str) -> dict[str, Any]:
    return {"object": "list", "data": data, "has_more": False, "url": where}


def message(event: dict[str, Any]) -> bytes:
    """Return an event as Stripe sends it."""
    return json.dumps(event).encode()


def signed(body: bytes, *, at: int, secret: str = SECRET) -> str:
    """Return the ``Stripe-Signature`` header for a message."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"
