"""Two web processes behind a load balancer, two workers and two sequencers, each of them killed under load.

    sh setup/postgres.sh python -m tests.frontdoor.fleet FOLDER

Real: PostgreSQL, Redis, an S3 server, haproxy with its probes, TLS, gunicorn, sessions, gate, vault, queue, leases, journal, signals.
KMS is played by moto, and the headshots are small noise. Processes are forked from one that has everything loaded, to be quick. Prints one
JSON object: what was asked for, what went wrong for whoever asked, and what is there at the end.
"""

import contextlib
import csv
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import django

django.setup()

import requests  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django_tasks_db.models import DBTaskResult  # noqa: E402

from headshotly.access.warrants import owner_warrant  # noqa: E402
from headshotly.accounts import links  # noqa: E402
from headshotly.accounts import services as accounts  # noqa: E402
from headshotly.accounts.models import Customer  # noqa: E402
from headshotly.audit import sequencing  # noqa: E402
from headshotly.audit.actor import VISITOR, Actor  # noqa: E402
from headshotly.audit.acts import Act  # noqa: E402
from headshotly.audit.models import Disclosure, Entry, PendingEntry  # noqa: E402
from headshotly.audit.verification import verify  # noqa: E402
from headshotly.frontdoor import broker, certificate, server  # noqa: E402
from headshotly.frontdoor.commands.sequencer import sequencer  # noqa: E402
from headshotly.frontdoor.wsgi import application  # noqa: E402
from headshotly.policy import configuration  # noqa: E402
from headshotly.purposes import services as purposes  # noqa: E402
from headshotly.purposes.texts import HEADSHOT_GENERATION, current_text  # noqa: E402
from headshotly.studio.models import Headshot, Photo, Shoot, ShootState  # noqa: E402
from headshotly.vault import services as vault  # noqa: E402
from headshotly.vault import wiring  # noqa: E402
from tests.frontdoor import arena  # noqa: E402
from tests.local_server import free_port  # noqa: E402

PASSWORD = "vier gruene Wolken 1983"
STYLES = ["studio-grey", "linkedin"]
CUSTOMERS = 3
KILLS = 9
JOBS = 6
DRAIN_SECONDS = 1.5
GIVE_UP_SECONDS = 110.0


def fork(act: Callable[[], object]) -> int:
    """Run something in a process and session of its own, and return its id."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        broker.forget()
        wiring.rewire()
        act()
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def end(process: int, number: signal.Signals) -> int:
    """Signal a process, with its children where it is killed, and return its wait status."""
    with contextlib.suppress(ProcessLookupError):
        (os.killpg if number == signal.SIGKILL else os.kill)(process, number)
    return os.waitpid(process, 0)[1]


class Fleet:
    """The processes, by name; any can be started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.pem, self.key = certificate.ensure(configuration.current().data_folder / "tls", host="localhost")
        self.ports = {name: free_port() for name in ("web-0", "web-1", "balancer", "told")}
        self.names = [f"{kind}-{number}" for kind in ("worker", "web", "sequencer") for number in (0, 1)]
        self.processes = {name: self.start(name) for name in self.names}
        self.balancer = self.balance(folder)

    def start(self, name: str) -> int:
        if name.startswith("worker"):
            return arena_worker()
        if name.startswith("sequencer"):
            return fork(lambda: sequencer.callback(once=False))
        web = server.https(
            application, port=self.ports[name], host="127.0.0.1", certificate=self.pem, key=self.key,
            workers=1, drain=DRAIN_SECONDS,
        )  # fmt: skip
        return fork(web.run)

    def balance(self, folder: Path) -> "subprocess.Popen[bytes]":
        both = folder / "both.pem"
        both.write_bytes(self.pem.read_bytes() + self.key.read_bytes())
        lines = [
            "global", "  maxconn 200", f"  stats socket ipv4@127.0.0.1:{self.ports['told']} level user",
            "defaults", "  mode http", "  timeout connect 2s", "  timeout client 30s", "  timeout server 30s", "  timeout check 8s",
            "  option redispatch", "  retries 3", "  retry-on conn-failure", "  option forwardfor",
            "frontend site", f"  bind 127.0.0.1:{self.ports['balancer']} ssl crt {both}", "  default_backend web",
            "backend web", "  balance roundrobin", "  option httpchk GET /readyz",
            "  http-request set-header X-Forwarded-Proto https",
            f"  default-server ssl verify required ca-file {self.pem} verifyhost localhost check inter 200ms fall 1 rise 1",
            *(f"  server {name} 127.0.0.1:{self.ports[name]}" for name in ("web-0", "web-1")),
        ]  # fmt: skip
        plan = folder / "haproxy.cfg"
        plan.write_text("\n".join(lines) + "\n")
        program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, "there is no haproxy (Debian: apt-get install haproxy)"
        with (folder / "haproxy.log").open("wb") as log:
            return subprocess.Popen([program, "-db", "-f", str(plan)], stdout=log, stderr=log)

    def ready(self, name: str) -> bool:
        try:
            answer = requests.get(f"https://localhost:{self.ports[name]}/readyz", verify=str(self.pem), timeout=6)
        except requests.RequestException:
            return False
        return answer.status_code == 200

    def wait_for(self, *names: str) -> None:
        deadline = time.monotonic() + 30
        while not all(self.ready(name) for name in names):
            assert time.monotonic() < deadline, f"{names} did not become ready"
            time.sleep(0.1)

    def wait_until_used(self, *names: str) -> None:
        """Wait until the balancer sends somebody to each: it looks for itself, and its look may take longer."""
        deadline = time.monotonic() + 30
        while not set(names) <= self.used():
            assert time.monotonic() < deadline, f"the balancer does not use all of {names}"
            time.sleep(0.1)

    def used(self) -> set[str]:
        with socket.create_connection(("127.0.0.1", self.ports["told"]), timeout=6) as line:
            line.sendall(b"show stat\n")
            told = b"".join(iter(lambda: line.recv(65536), b"")).decode().removeprefix("# ")
        return {row["svname"] for row in csv.DictReader(told.splitlines()) if row["status"] == "UP"}

    def kill(self, name: str) -> None:
        end(self.processes[name], signal.SIGKILL)
        self.processes[name] = self.start(name)


def arena_worker() -> int:
    def work() -> None:
        arena.tasks.engine = arena.NoiseEngine
        leased = arena.worker.LeasedWorker(interval=0.05)
        leased.configure_signals()
        leased.run()

    return fork(work)


def make_customer(number: int) -> str:
    """Make a customer who agreed, through the rooms' own front, and return the address."""
    email = f"fleet{number}@example.org"
    known = set(Customer.objects.values_list("id", flat=True))
    accounts.sign_up(actor=VISITOR, email=email, password=PASSWORD, name="Fleet Example")
    customer = Customer.objects.exclude(id__in=known).get()
    accounts.confirm(token=links.make(customer, "confirm"), password=PASSWORD)
    version = current_text(HEADSHOT_GENERATION).version
    actor = Actor(kind="customer", id=customer.id)
    purposes.give_consent(actor=actor, subject=customer.id, activity=HEADSHOT_GENERATION, version=version)
    return email


class Person:
    """A customer at a browser: asks again where nobody answered, and writes down what was acknowledged."""

    def __init__(self, base: str, pem: Path, record: Path) -> None:
        self.base, self.record = base, record
        self.session = requests.Session()
        self.session.verify = str(pem)
        self.session.trust_env = False  # or a bundle named in the environment would be believed instead
        self.deadline = time.monotonic() + GIVE_UP_SECONDS

    def note(self, **what: object) -> None:
        with self.record.open("a") as file:
            file.write(json.dumps({**what, "at": time.monotonic()}) + "\n")

    def ask(self, method: str, where: str, accept: str = "text/html", **more: object) -> requests.Response:
        while True:
            try:
                answer = self.session.request(
                    method,
                    self.base + where,
                    timeout=20,
                    headers={"Referer": self.base + where, "Accept": accept},
                    **more,
                )
                if answer.status_code < 500:
                    self.note(answered=method)
                    if "/account/sign-in" in answer.url and "sign-in" not in where:
                        self.note(signed_out=where)
                    return answer
                self.note(trouble=f"{method} {where.split('/')[2]}", why=answer.status_code)
            except requests.RequestException as error:
                self.note(trouble=f"{method} {where.split('/')[2]}", why=type(error).__name__)
            assert time.monotonic() < self.deadline, "nobody answered any more"
            time.sleep(0.1)

    def token(self, where: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.ask("GET", where).text)
        assert found, "a page without its form"
        return found[1]

    def sign_in(self, email: str) -> None:
        form = {"csrfmiddlewaretoken": self.token("/account/sign-in/"), "email": email, "password": PASSWORD}
        answer = self.ask("POST", "/account/sign-in/", data=form)
        assert answer.url.endswith("/studio/"), (answer.url, answer.status_code)

    def order(self, photo: bytes) -> None:
        form = {"csrfmiddlewaretoken": self.token("/studio/")}
        files = {"photos": ("me.jpg", photo, "image/jpeg")}
        (answer,) = self.ask("POST", "/studio/upload/", accept="application/json", data=form, files=files).json()
        assert answer["accepted"], answer["sentence"]
        photo_id = answer["photo_id"]
        self.note(photo=photo_id)
        form = {"csrfmiddlewaretoken": self.token("/studio/"), "photo_ids": photo_id, "styles": STYLES}
        answer = self.ask("POST", "/studio/start/", data=form)
        found = re.search(r"/studio/shoots/([0-9a-f-]{36})/", answer.url)
        assert found, (answer.url, answer.status_code)
        self.note(shoot=found[1])
        while self.ask("GET", f"/studio/shoots/{found[1]}/progress/").json()["open"]:
            assert time.monotonic() < self.deadline, "a shoot never ended"
            time.sleep(0.15)
        self.note(ended=found[1])


def use(base: str, pem: Path, record: Path, email: str, photo: bytes) -> None:
    person = Person(base, pem, record)
    person.sign_in(email)
    stop = record.with_name("stop")
    while not stop.exists():
        person.order(photo)


def drive(folder: Path, photo: bytes) -> dict:
    """Start everything, kill everything in turn while customers work, tell one web process to end, and count."""
    emails = [make_customer(number) for number in range(CUSTOMERS)]
    fleet = Fleet(folder)
    try:
        fleet.wait_for("web-0", "web-1", "balancer")
        base, records = (
            f"https://localhost:{fleet.ports['balancer']}",
            [folder / f"{n}.jsonl" for n in range(CUSTOMERS)],
        )
        people = [
            fork(lambda email=email, record=record: use(base, fleet.pem, record, email, photo))
            for email, record in zip(emails, records, strict=True)
        ]
        kills = kill_in_turn(fleet, records)
        arena.start_shoots(2)
        began = time.monotonic()
        ended = end(fleet.processes["web-0"], signal.SIGTERM)
        for _ in arena.waiting(60):  # whoever had asked it then, and whoever asked since, has an answer
            if all(answered_since(began, record) for record in records):
                break
        quiet = (began, time.monotonic())
        (folder / "stop").touch()
        statuses = [os.waitpid(process, 0)[1] for process in people]
        fleet.processes["web-0"] = fleet.start("web-0")
        fleet.wait_for("web-0")
        for _ in arena.waiting(30):  # a start that nobody acknowledged may have started something all the same
            if not arena.open_shoots():
                break
        stopped = {name: end(fleet.processes[name], signal.SIGTERM) for name in fleet.names}
        fleet.processes.clear()
        lines = [json.loads(line) for record in records for line in record.read_text().splitlines()]
        return {
            "kills": kills,
            "people": statuses,
            "web_ended": ended,
            "stopped": stopped,
            **told(lines, quiet),
            **state(lines),
        }
    finally:
        fleet.balancer.kill()
        fleet.balancer.wait()
        for process in fleet.processes.values():
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                end(process, signal.SIGKILL)


def answered_since(moment: float, record: Path) -> bool:
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    return any("answered" in line and line["at"] > moment for line in lines)


def kill_in_turn(fleet: Fleet, records: list[Path]) -> dict[str, int]:
    dice, kills = random.Random(7), dict.fromkeys(fleet.names, 0)
    deadline = time.monotonic() + 30
    while not all(record.exists() and "photo" in record.read_text() for record in records):
        assert time.monotonic() < deadline, "nobody could upload anything"
        time.sleep(0.1)
    arena.start_shoots(JOBS)  # so that a worker that is killed has something in its hands
    for number in range(KILLS):
        victim = fleet.names[number % len(fleet.names)]
        time.sleep(dice.uniform(0.2, 0.6))
        other = victim[:-1] + ("1" if victim.endswith("0") else "0")
        if victim.startswith("web"):
            fleet.wait_for(other)
        fleet.kill(victim)
        kills[victim] += 1
    fleet.wait_until_used("web-0", "web-1")
    return kills


def told(lines: list[dict], quiet: tuple[float, float]) -> dict:
    trouble = [line for line in lines if "trouble" in line]
    return {
        "photos": sum("photo" in line for line in lines),
        "shoots": sum("shoot" in line for line in lines),
        "ended": sum("ended" in line for line in lines),
        "trouble": len(trouble),
        "trouble_while_ending": [line for line in trouble if quiet[0] <= line["at"] <= quiet[1]],
        "answered_while_ending": sum("answered" in line and quiet[0] <= line["at"] <= quiet[1] for line in lines),
        "signed_out": sum("signed_out" in line for line in lines),
    }


def state(lines: list[dict]) -> dict:
    """Return what the stores hold, against what customers were told."""
    for _ in range(50):
        sequencing.sequence_once()
        if not PendingEntry.objects.exists() and not Disclosure.objects.using("journal").exists():
            break
    photos = {UUID(line["photo"]) for line in lines if "photo" in line}
    shoots = Shoot.objects.filter(id__in={UUID(line["shoot"]) for line in lines if "shoot" in line})
    kept = Photo.objects.filter(id__in=photos)
    for photo in kept:
        vault.open(
            object_id=photo.object_id,
            warrant=owner_warrant(customer_id=photo.subject, session_key="fleet", purpose="view"),
        )
    made = list(Headshot.objects.values_list("shoot_id", "photo_id", "style_id"))
    wanted = {
        (shoot.id, UUID(photo), style)
        for shoot in Shoot.objects.all()
        for photo in shoot.photo_ids
        for style in shoot.style_ids
    }
    return {
        "photos_lost": len(photos) - kept.count(),
        "shoot_states": sorted(Shoot.objects.values_list("state", flat=True).distinct()),
        "shoots_lost": len({line["shoot"] for line in lines if "shoot" in line}) - shoots.count(),
        "shoots_open": Shoot.objects.filter(state__in=[ShootState.QUEUED, ShootState.RUNNING]).count(),
        "tasks": sorted(set(DBTaskResult.objects.values_list("status", flat=True))),
        "headshots_missing": len(wanted - set(made)),
        "headshots_doubled": len(made) - len(set(made)),
        "made": len(made),
        "taken_over": sum(len(ids) > 1 for ids in DBTaskResult.objects.values_list("worker_ids", flat=True)),
        "journal_made": Entry.objects.filter(act=Act.HEADSHOT_MADE).count(),
        "journal_photos": Entry.objects.filter(act=Act.PHOTO_RECEIVED).count(),
        "photos_kept": Photo.objects.exclude(sentence="").count(),
        "journal_entries": verify().entries,
        "entries": Entry.objects.count(),
    }


def main(folder: Path, photo: Path) -> None:
    for alias in ("default", "journal", "keys"):
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    result = drive(folder, photo.read_bytes())
    sys.stdout.write(json.dumps({**result, "vendor": connections["default"].vendor}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
