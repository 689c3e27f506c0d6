"""Every word the customer's side can say, found in templates, code and declarations; and the Polish catalogue.

``HEADSHOTLY_WRITE_TABLES=1 .venv/bin/pytest tests/languages/test_languages.py`` adds what is new to the catalogue,
drops what is gone, and compiles it. What it adds is empty: somebody who speaks Polish fills it in.
"""

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

HOUSE = Path(__file__).resolve().parents[2] / "headshotly"
FOLDER = HOUSE / "locale" / "pl" / "LC_MESSAGES"
PO, MO = FOLDER / "django.po", FOLDER / "django.mo"
_KEYWORDS = {
    "_": None,
    "noop": None,
    "gettext": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
# Only members of staff see these, and the console speaks English.
STAFF_ONLY = (
    "access/console", "access/desk", "access/grants", "access/personnel", "access/reviews", "access/machines",
    "access/services", "access/disclosure", "access/views", "access/members", "access/passkeys", "access/trusted_time",
    "access/warrants", "purposes/assessments", "purposes/risks", "rights/staff_views", "rights/governance_views",
    "rights/publishing", "studio/models_folder", "studio/desk", "studio/prompting", "studio/weights", "studio/painting", "studio/signatory", "studio/files",
    "studio/credentials", "audit/", "proof/", "incidents/", "continuity/", "lifecycle/",
    "vendors/", "rights/vendor_views", "orders/staff_views", "orders/duties",
    "frontdoor/command", "frontdoor/worker", "frontdoor/supervisor", "frontdoor/roster",
    "frontdoor/scratch", "vault/",
    "frontdoor/tracing", "frontdoor/proxies", "frontdoor/management", "frontdoor/prometheus_rules", "frontdoor/metrics",
    "frontdoor/gauges", "frontdoor/program_metrics", "frontdoor/drill_place", "frontdoor/broker", "frontdoor/database_roles", "frontdoor/objectives",
)  # fmt: skip
# What visitors read of a room that is otherwise staff's.
PUBLIC_PARTS = (
    "proof/disclosure", "proof/reporting", "proof/trust",
    "vendors/mail", "vendors/views", "vendors/categories", "vendors/activities",
)  # fmt: skip
_STAFF_TEMPLATES = re.compile(
    r"templates/(access/(?!openings)|rights/staff/|studio/desk|proof/staff/|incidents/|continuity/|lifecycle/|orders/desk|frontdoor/objectives)"
)
_ASIDES = ("notes.append", "progress", "_tell", "Finding", "Verdict")  # calls whose words a customer reads later


def customer_templates() -> list[Path]:
    """Return the templates that customers and visitors see."""
    found = sorted(HOUSE.rglob("templates/**/*.html"))
    return [path for path in found if not _STAFF_TEMPLATES.search(str(path.relative_to(HOUSE)))]


def customer_modules() -> list[Path]:
    """Return the modules whose words customers and visitors may read."""
    found = sorted(HOUSE.rglob("*.py"))
    names = {path: str(path.relative_to(HOUSE)) for path in found}
    return [path for path, name in names.items() if name.startswith(PUBLIC_PARTS) or not name.startswith(STAFF_ONLY)]


def _marked(source: bytes) -> Iterator[tuple[object, str | None]]:
    options = {"encoding": "utf-8"}
    keywords = {name: spec or (1,) for name, spec in _KEYWORDS.items()}
    for _line, name, messages, _comments in extract_python(io.BytesIO(source), keywords, [], options):
        given = messages if isinstance(messages, tuple) else (messages,)
        if name in {"pgettext", "npgettext"}:
            yield (given[1] if name == "pgettext" else (given[1], given[2])), given[0]
        elif name == "ngettext":
            yield (given[0], given[1]), None
        elif given[0]:
            yield given[0], None


def _spoken(node: ast.expr) -> str | None:
    """Return a literal's words, numbers as ``#``, the way ``wording.told`` looks them up."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value if re.search(r"[A-Za-z]{2}", node.value) else None
    if isinstance(node, ast.JoinedStr):
        words = "".join(str(part.value) if isinstance(part, ast.Constant) else "#" for part in node.values)
        return words if re.search(r"[A-Za-z]{3}", words) else None
    return None


def _refusals() -> set[str]:
    """Return the names of everything that is raised to say no, in whatever room."""
    parents = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in HOUSE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.ClassDef)
    }
    found, grown = {"Refusal"}, 0
    while len(found) != grown:
        grown = len(found)
        found |= {name for name, bases in parents.items() if bases & found}
    return found


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if f"{owner}.{name}" in _ASIDES:
            return f"{owner}.{name}"
        case ast.Attribute(attr=name):
            return name
    return ""


def _said_by_calls(tree: ast.AST, refusals: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _called(node)
        if name in refusals and node.args:
            words = _spoken(node.args[0])
            if words:
                yield words
        elif name in _ASIDES:
            for given in node.args:
                words = _spoken(given)
                if words and re.search(r" |[.?!]", words) and not words.startswith("#: "):
                    yield words


def _said_by_names(tree: ast.AST) -> Iterator[str]:
    """Yield the whole sentences that are given a name first and said later, such as the answer of a sign-in."""
    for node in ast.walk(tree):
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        for inner in ast.walk(value) if value is not None else ():
            words = _spoken(inner) if isinstance(inner, ast.expr) else None
            if words and re.fullmatch(r"[A-Z“#][^\n]* [^\n]*[.?!]", words):
                yield words


def _keys(tree: ast.AST) -> Iterator[str]:
    """Return the names of values in a customer's copy, as the page shows them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key in node.keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.islower():
                    yield key.value.replace("_", " ")


def declared_words() -> set[str]:
    """Return the words that declarations, enumerations, styles and the policy bring, as they are now."""
    from headshotly.access.models import Purpose
    from headshotly.orders.models import OrderState
    from headshotly.policy.clauses import ClauseKind, clauses, sections
    from headshotly.policy.operator import Operator
    from headshotly.proof.rules import why_unchecked
    from headshotly.proof.weakness_states import fix_days
    from headshotly.purposes.declarations import LegalBasis, limits
    from headshotly.purposes.grounds import RestrictionGround
    from headshotly.purposes.notices import about_customers
    from headshotly.rights import legal_texts, states, verifying
    from headshotly.rights.models import ExportState
    from headshotly.studio.models import ShootState
    from headshotly.studio.styles import STYLES
    from headshotly.vendors.categories import CATEGORIES

    found = {kind.value for kind in ClauseKind} | {basis.value for basis in LegalBasis}
    for one in about_customers():
        found |= {one.title, one.purpose, one.source, one.retention, *one.data, *one.recipients, *one.transfers}
    found |= {limit.title for limit in limits().values()}
    enums = (
        Purpose,
        states.Kind,
        states.Regime,
        states.State,
        states.Outcome,
        ExportState,
        ShootState,
        RestrictionGround,
        OrderState,
    )
    for kind in enums:
        found |= {str(label) for _value, label in kind.choices}
    found |= set(states.GROUNDS.values()) | set(legal_texts.TITLES.values())
    for kind in states.Kind:
        for channel in states.Channel:
            found.add(verifying.needed(kind, channel).sentence)
    found |= {text for one in STYLES.values() for text in (one.title, one.description)}
    found |= {why_unchecked(clause_id) for clause_id in clauses()}
    found |= {severity.label for severity in fix_days()}
    found |= {*CATEGORIES, *CATEGORIES.values()}
    found |= {clause.sentence for clause in clauses().values()}
    found |= {section.heading for section in sections() if section.level > 1}
    found |= {
        Operator().country,
        "photo",
        "preview",
        "headshot",
        "export",
        "studio",
        "rights",
        "support",
        "security officer",
    }
    found |= {"finding the face", "cutting out", "cleaning edges and light", "opening", "photo # of #"}
    return {words for words in found if words}


def wanted() -> dict[tuple[str, str | None], object]:
    """Return every message by singular and context; a plural one as a pair."""
    found: dict[tuple[str, str | None], object] = {}

    def add(message: object, context: str | None = None) -> None:
        found[(message[0] if isinstance(message, tuple) else str(message), context)] = message

    for path in customer_templates():
        for message, context in _marked(templatize(path.read_text(encoding="utf-8")).encode()):
            add(message, context)
    refusals = _refusals()
    for path in customer_modules():
        source = path.read_bytes()
        for message, context in _marked(source):
            add(message, context)
        tree = ast.parse(source)
        named = _said_by_names(tree) if path.name not in {"activities.py", "texts.py"} else ()
        for words in (*_said_by_calls(tree, refusals), *named):
            add(words)
        if str(path.relative_to(HOUSE)) in {"rights/rooms.py", "rights/history.py", "orders/selectors.py"}:
            for words in _keys(tree):
                add(words)
    for words in declared_words():
        add(words)
    return found


def optional() -> set[str]:
    """Return what may have Polish and need not: how a check looks, which the trust page else says in English."""
    from headshotly.proof import registry

    return {words for one in registry.load().values() for words in (one.title, one.words)}


def kept() -> Catalog:
    """Return the Polish catalogue as it is written down."""
    with PO.open("rb") as file:
        return read_po(file, locale="pl", domain="django")


def compiled(catalogue: Catalog) -> bytes:
    """Return the catalogue as the running service reads it."""
    out = io.BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def write() -> None:
    """Bring the catalogue up to date: new words come in empty, gone ones go."""
    before = kept() if PO.exists() else Catalog(locale="pl", domain="django")
    fresh = Catalog(locale="pl", domain="django", project="HeadShotly", version="", fuzzy=False, charset="utf-8")
    for (singular, context), message in sorted(
        wanted().items(), key=lambda item: (item[0][0].lower(), item[0][1] or "")
    ):
        known = before.get(singular, context)
        plural = isinstance(message, tuple)
        said = known.string if known else None
        if said is not None and plural != isinstance(said, tuple | list):
            said = None
        fresh.add(message, said or None, context=context)
    for words in sorted(optional()):
        known = before.get(words)
        if known and known.string:
            fresh.add(words, known.string)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, fresh, width=120, omit_header=False, sort_output=False, include_previous=False)
    MO.write_bytes(compiled(kept()))
