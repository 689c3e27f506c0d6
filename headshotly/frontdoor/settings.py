"""The one place that reads the environment and wires the rooms together."""

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from headshotly.policy.configuration import MIB, Configuration, Environment


def _environment(name: str, default: str = "") -> str:
    return os.environ.get(f"HEADSHOTLY_{name}", default)  # noqa: TID251 - the one place


def _environment_kind() -> Environment:
    kind = _environment("ENVIRONMENT", "local")
    match kind:
        case "local" | "staging" | "production" | "test":
            return kind
        case _:
            sys.exit(f"HEADSHOTLY_ENVIRONMENT is “{kind}”; it must be local, staging, production or test.")


BASE = Path(__file__).resolve().parents[2]

HEADSHOTLY = Configuration(
    environment=_environment_kind(),
    data_folder=Path(_environment("DATA", str(BASE / "data"))).absolute(),
    mail_folder=Path(_environment("MAIL", str(BASE / "mail"))).absolute(),
    models_folder=Path(_environment("MODELS", str(BASE / ".models"))).absolute(),
    public_url=_environment("URL", f"https://localhost:{_environment('HTTPS_PORT', '8443')}").rstrip("/"),
    https_port=int(_environment("HTTPS_PORT", "8443")),
    http_port=int(_environment("HTTP_PORT", "8080")),
    key_service=_environment("KEY_SERVICE", "embedded"),
    object_store=_environment("OBJECT_STORE", "folder"),
    key_store=_environment("KEY_STORE", "folder"),
    options={
        key.removeprefix("HEADSHOTLY_OPTION_").lower().replace("__", "."): value
        for key, value in os.environ.items()  # noqa: TID251 - the one place
        if key.startswith("HEADSHOTLY_OPTION_")
    },
)


def metrics_folder(made: Path | None = None) -> Path | None:
    """Return the folder this server's processes measure into, None where there is but one process.

    Args:
        made: the folder from now on; prometheus_client reads the environment once, when it is first loaded.
    """
    if made is not None:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(made)  # noqa: TID251 - the one place
    found = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")  # noqa: TID251 - the one place
    return Path(found) if found else None


def _secret_key() -> str:
    """Return Django's secret, made on first use and kept 0600 in the data folder."""
    given = _environment("SECRET_KEY")
    if given:
        return given
    path = HEADSHOTLY.data_folder / "secret-key"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        value = secrets.token_urlsafe(64)
        file.write(value)
    return value


# A thread keeps its connections between requests: opening a SQLite file anew for each costs more than most pages, and
# the last to close it writes its whole log back. On PostgreSQL a connection cut by a failover is noticed and replaced.
_KEPT: dict[str, object] = {"CONN_MAX_AGE": 300, "CONN_HEALTH_CHECKS": True}


def _sqlite(name: str) -> dict[str, object]:
    return _KEPT | {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(HEADSHOTLY.data_folder / name),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
                "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY;"
            ),
        },
        # A file, not memory: the suite's threads and second connections must see real locking.
        "TEST": {"NAME": str(HEADSHOTLY.data_folder / f"test-{name}")},
    }


# Options of PostgreSQL. database.sign_in: aws-iam makes a password for each connection out of the task's AWS role.
# database.ca_file: who must vouch for the server; without it a connection is encrypted as the server wants it.
_SIGN_IN = HEADSHOTLY.options.get("database.sign_in", "")
if _SIGN_IN not in {"", "aws-iam"}:
    sys.exit(f"HEADSHOTLY_OPTION_DATABASE__SIGN_IN is “{_SIGN_IN}”; it must be aws-iam or left out.")
_DATABASE_CA = HEADSHOTLY.options.get("database.ca_file", "")
if _DATABASE_CA and not Path(_DATABASE_CA).is_file():
    sys.exit(f"HEADSHOTLY_OPTION_DATABASE__CA_FILE names {_DATABASE_CA}, and there is no such file.")


def _transport() -> dict[str, str]:
    if _DATABASE_CA:
        return {"sslmode": "verify-full", "sslrootcert": _DATABASE_CA}
    return {"sslmode": "require"} if _SIGN_IN else {}  # a password of AWS is never said in the open


def _postgresql(url: str, *, name: str = "", variable: str = "DATABASE_PASSWORD") -> dict[str, object]:
    parts = urlsplit(url)
    return _KEPT | {
        "ENGINE": "headshotly.frontdoor.postgresql_iam" if _SIGN_IN else "django.db.backends.postgresql",
        "OPTIONS": _transport(),
        "NAME": name or parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or "") or _environment(variable),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
    }


_DATABASE_URL = _environment("DATABASE_URL")

# default: everything. journal: a connection of its own, so that an entry written before a key is unwrapped
# survives any rollback (SQLite allows one writer a file, so there it is also a file of its own).
# keys: customer keys, outside every versioned backup.
DATABASES = (
    {
        "default": _postgresql(_DATABASE_URL),
        "journal": _postgresql(_DATABASE_URL),
        "keys": _postgresql(
            _environment("KEYS_DATABASE_URL", _DATABASE_URL),
            name="" if _environment("KEYS_DATABASE_URL") else urlsplit(_DATABASE_URL).path.lstrip("/") + "_keys",
            variable="KEYS_DATABASE_PASSWORD" if _environment("KEYS_DATABASE_URL") else "DATABASE_PASSWORD",
        ),
    }
    if _DATABASE_URL
    else {
        "default": _sqlite("headshotly.sqlite3"),
        "journal": _sqlite("journal.sqlite3"),
        "keys": _sqlite("keys.sqlite3"),
    }
)
DATABASE_ROUTERS = ["headshotly.frontdoor.routing.Rooms"]

ROOMS = [
    "policy", "audit", "purposes", "vendors", "vault", "accounts", "access",
    "studio", "integrations", "orders", "continuity", "lifecycle", "incidents", "rights", "proof", "frontdoor",
]  # fmt: skip
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_tasks_db",
    *(f"headshotly.{room}" for room in ROOMS),
]

SECRET_KEY = _secret_key()
DEBUG = False
ALLOWED_HOSTS = [urlsplit(HEADSHOTLY.public_url).hostname or "localhost", "localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "headshotly.frontdoor.urls"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("pl", "Polski")]
USE_I18N = True
LOCALE_PATHS = [BASE / "headshotly" / "locale"]
LANGUAGE_COOKIE_NAME = "__Host-language"
STATIC_URL = "/static/"
STATIC_ROOT = BASE / "build" / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_USE_FINDERS = HEADSHOTLY.environment in {"local", "test"}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is ever stored through Django
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if HEADSHOTLY.environment in {"local", "test"}
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.Customer"
# Django's own backend is for sessions that began before ours; the oldest session lives thirty days.
AUTHENTICATION_BACKENDS = ["headshotly.accounts.knowing.Customers", "django.contrib.auth.backends.ModelBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]

MIDDLEWARE = [
    "headshotly.frontdoor.health.Probes",
    "headshotly.frontdoor.proxies.BehindProxies",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",  # before static files, which carry it as well
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "headshotly.frontdoor.middleware.Watched",
    "headshotly.frontdoor.middleware.Surroundings",
    "headshotly.frontdoor.api.surroundings.TokensOnly",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "headshotly.frontdoor.languages.Languages",
    "django.middleware.common.CommonMiddleware",
    "headshotly.frontdoor.middleware.PlainCsrf",
    "headshotly.frontdoor.middleware.Inspected",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "headshotly.rights.signal.PrivacySignal",
    "django.contrib.messages.middleware.MessageMiddleware",
    "headshotly.frontdoor.middleware.PlainRefusals",
    "headshotly.frontdoor.middleware.ReadOnlyGate",
    "headshotly.frontdoor.card_guard.CardNumberGuard",
    "headshotly.frontdoor.middleware.PlainGate",
]
CSRF_FAILURE_VIEW = "headshotly.frontdoor.views.csrf_failure"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["headshotly.policy.templatetags.addresses"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "headshotly.frontdoor.context.everywhere",
                "headshotly.access.console.in_templates",
            ],
        },
    },
]

SESSION_ENGINE = "headshotly.accounts.sessions"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True  # our scripts take the token out of the form
CSRF_COOKIE_NAME = "__Host-csrf"
SECURE_HSTS_SECONDS = 31_536_000 if HEADSHOTLY.environment in {"staging", "production"} else 3600
SECURE_SSL_REDIRECT = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Plaintext never touches the disk: uploads stay in memory, bounded before they are read.
FILE_UPLOAD_HANDLERS = ["headshotly.studio.uploads.BoundedMemoryUpload"]
DATA_UPLOAD_MAX_NUMBER_FILES = None  # the handler above counts, and says so in plain words
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 * MIB

# Option logs.form: json (for programs, one line for every answered request too) or readable (for a terminal).
_LINES = HEADSHOTLY.options.get("logs.form") or ("readable" if HEADSHOTLY.environment in {"local", "test"} else "json")
if _LINES not in {"json", "readable"}:
    sys.exit(f"HEADSHOTLY_OPTION_LOGS__FORM is “{_LINES}”; it must be json or readable.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": "headshotly.frontdoor.logs.StructuredLines",
            "readable": _LINES == "readable",
        }
    },
    "handlers": {"stderr": {"class": "headshotly.frontdoor.logs.Terminal", "formatter": "structured"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # Every answered request is a line only where a program reads them.
        "headshotly": {"level": "WARNING" if _LINES == "readable" else "INFO"},
        # Django writes to its own places besides; here everything goes one way.
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},
        "django.security": {"level": "ERROR"},
    },
}
TASKS = {"default": {"BACKEND": "headshotly.frontdoor.queueing.Backend"}}
