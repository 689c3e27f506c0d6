"""Django's own defaults, with the databases, the password hasher and the cookies that the service has.

With ``RIVAL_DRESSED`` there is besides what any service with the same pages has (``bench.rival.dressed``).
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FOLDER = Path(os.environ["RIVAL_FOLDER"])  # noqa: TID251 - a project of its own
DATABASE_URL = os.environ.get("RIVAL_DATABASE_URL", "")  # noqa: TID251 - a project of its own
SECRET_KEY = "of-a-scratch-project"  # noqa: S105 - it lives for minutes  # pragma: allowlist secret
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
ROOT_URLCONF = "bench.rival.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "bench.rival",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
_CONTEXT = "django.template.context_processors.request", "django.contrib.auth.context_processors.auth"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).with_name("templates")],
        "OPTIONS": {
            "context_processors": [*_CONTEXT, "django.contrib.messages.context_processors.messages"],
        },
    },
]
if DATABASE_URL:
    _PARTS = urlsplit(DATABASE_URL)
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _PARTS.path.lstrip("/"),
            "USER": _PARTS.username,
            "HOST": _PARTS.hostname,
            "PORT": _PARTS.port,
            "CONN_MAX_AGE": None,
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": FOLDER / "rival.sqlite3",
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
            },
        }
    }
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/gallery/"
USE_TZ = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 3600

if os.environ.get("RIVAL_DRESSED"):  # noqa: TID251 - a project of its own
    _SERVICE = Path(__file__).resolve().parents[2] / "headshotly"
    STYLES = 8
    INSTALLED_APPS += ["whitenoise.runserver_nostatic", "django.contrib.staticfiles"]
    STATIC_URL, WHITENOISE_USE_FINDERS = "/static/", True
    STATICFILES_DIRS = [_SERVICE / room / "static" for room in ("frontdoor", "studio")]
    USE_I18N, LANGUAGE_CODE = True, "en"
    LANGUAGES = [("en", "English"), ("pl", "Polski")]
    LOCALE_PATHS = [_SERVICE / "locale"]
    MIDDLEWARE.insert(1, "whitenoise.middleware.WhiteNoiseMiddleware")
    MIDDLEWARE.insert(2, "bench.rival.dressed.Surrounded")
    MIDDLEWARE.insert(4, "django.middleware.locale.LocaleMiddleware")
    _TEMPLATES: dict[str, Any] = TEMPLATES[0]
    _TEMPLATES["DIRS"] = [*_TEMPLATES["DIRS"], *(_SERVICE / room / "templates" for room in ("frontdoor", "studio"))]
    _TEMPLATES["OPTIONS"]["libraries"] = {"wording": "headshotly.policy.templatetags.wording"}
    _TEMPLATES["OPTIONS"]["context_processors"].append("bench.rival.dressed.around")
    SECURE_REFERRER_POLICY, X_FRAME_OPTIONS = "same-origin", "DENY"
    LOGGING = {
        "version": 1,
        "disable_existing_loggers": False,
        "handlers": {"file": {"class": "logging.FileHandler", "filename": FOLDER / "requests.log"}},
        "loggers": {"bench.rival": {"handlers": ["file"], "level": "INFO", "propagate": False}},
    }
