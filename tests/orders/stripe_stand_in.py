"""A stand-in for Stripe, served over HTTP, which the official library talks to: the calls we make, and their faults.

It keeps sessions, payments and refunds in memory, honours idempotency keys, and signs messages as Stripe documents.
It is not Stripe: what it proves is that our side sends and reads what it should, not that Stripe agrees.
"""

import hashlib
import hmac
import json
import re
import threading
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
        self.fail = ""
        self.calls: list[str] = []
        self._lock = threading.Lock()
        account = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = nested(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
                self._answer(*account.answer("POST", self.path, form, self.headers.get("Idempotency-Key", "")))

            def do_GET(self) -> None:
                self._answer(*account.answer("GET", self.path, {}, ""))

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

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, form: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        with self._lock:
            where = urlsplit(path).path
            self.calls.append(f"{method} {where}")
            trouble = (500, {"error": {"type": "api_error", "message": "stand-in trouble"}})
            if self.fail == "down":
                return trouble
            if key and key in self.answers:
                answered = self.answers[key]
            else:
                answered = self._do(method, where, form)
                if key:
                    self.answers[key] = answered
            return trouble if self.fail == "late" else answered

    def _do(self, method: str, where: str, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if (method, where) == ("POST", "/v1/checkout/sessions"):
            return 200, self._session(form)
        if (method, where) == ("GET", "/v1/checkout/sessions"):
            data = [self._seen(one) for one in self.sessions.values()]
            return 200, {"object": "list", "data": data, "has_more": False, "url": where}
        if method == "GET" and where.startswith("/v1/checkout/sessions/"):
            return 200, self._seen(self.sessions[where.rsplit("/", 1)[1]])
        if (method, where) == ("POST", "/v1/refunds"):
            return self._refund(form)
        if (method, where) == ("POST", "/v1/billing_portal/sessions"):
            return 200, {"id": "bps_1", "object": "billing_portal.session", "url": "https://billing.stripe.test/p"}
        return 404, {"error": {"type": "invalid_request_error", "message": f"no {where}"}}

    def _session(self, form: dict[str, Any]) -> dict[str, Any]:
        number = len(self.sessions) + 1
        item = form["line_items"]["0"]
        total = int(item["quantity"]) * int(item["price_data"]["unit_amount"])
        made = {
            "id": f"cs_test_{number}", "object": "checkout.session", "status": "open", "payment_status": "unpaid",
            "client_reference_id": form["client_reference_id"], "metadata": form["metadata"], "amount_total": total,
            "currency": item["price_data"]["currency"], "payment_intent": None, "customer": None,
            "total_details": {"amount_tax": 0}, "created": 1_795_500_000 + number,
            "url": f"https://checkout.stripe.test/c/{number}", "form": form,
        }  # fmt: skip
        self.sessions[made["id"]] = made
        return made

    def _seen(self, session: dict[str, Any]) -> dict[str, Any]:
        charge = self.charges.get(session["payment_intent"] or "")
        if charge is None:
            return session
        intent = {"id": session["payment_intent"], "object": "payment_intent", "latest_charge": charge}
        return {**session, "payment_intent": intent}

    def _refund(self, form: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        charge = self.charges[form["payment_intent"]]
        amount = int(form["amount"])
        if charge["amount_refunded"] + amount > charge["amount"]:
            return 400, {"error": {"type": "invalid_request_error", "message": "more than was paid"}}
        charge["amount_refunded"] += amount
        number = sum(1 for key in self.answers if key.startswith("refund-")) + 1
        return 200, {"id": f"re_{number}", "object": "refund", "amount": amount, "status": "succeeded"}

    # what a customer does on Stripe's pages

    def pay(self, session_id: str) -> None:
        session = self.sessions[session_id]
        number = session_id.rsplit("_", 1)[1]
        session |= {
            "status": "complete", "payment_status": "paid", "payment_intent": f"pi_{number}", "customer": f"cus_{number}",
        }  # fmt: skip
        self.charges[f"pi_{number}"] = {
            "id": f"ch_{number}", "object": "charge", "amount": session["amount_total"], "amount_refunded": 0,
            "currency": session["currency"], "payment_intent": f"pi_{number}", "created": session["created"],
            "metadata": session["metadata"],
        }  # fmt: skip

    def expire(self, session_id: str) -> None:
        self.sessions[session_id]["status"] = "expired"


def event(kind: str, about: dict[str, Any], *, name: str, at: int) -> bytes:
    """Return a message as Stripe sends it."""
    document = {"id": name, "object": "event", "type": kind, "created": at, "data": {"object": about}}
    return json.dumps(document).encode()


def signed(body: bytes, *, at: int, secret: str = SECRET) -> str:
    """Return the ``Stripe-Signature`` header for a message."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={mac}"
