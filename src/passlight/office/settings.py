"""Django's settings of the office.

What differs between installations comes from ``passlight.runtime.settings``; the rest is here.
"""

from pathlib import Path
from urllib.parse import urlsplit

from passlight.runtime.clock import SystemEntropy
from passlight.runtime.database import Role, url_for
from passlight.runtime.keys import KeyFolder
from passlight.runtime.settings import read_settings, read_variable

PASSLIGHT = read_settings()
ROLE = Role(read_variable("PASSLIGHT_ROLE", "office"))


def _database() -> dict[str, object]:
    try:
        parts = urlsplit(url_for(ROLE, PASSLIGHT))
    except FileNotFoundError:  # nothing set up yet: checks and tests bring their own
        parts = urlsplit("postgresql://nobody@127.0.0.1:1/none")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": parts.password,
        "HOST": parts.hostname,
        "PORT": parts.port,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 3},
    }


DATABASES = {"default": _database()}
SECRET_KEY = KeyFolder(PASSLIGHT.keys).read_or_make("django", SystemEntropy()).hex()
DEBUG = False
ALLOWED_HOSTS = ["*"] if PASSLIGHT.demo else [str(urlsplit(PASSLIGHT.public_url).hostname)]
CSRF_TRUSTED_ORIGINS = [PASSLIGHT.public_url]

_APPS = (
    *("pages", "accounts", "people", "feeds", "facts", "packs"),
    *("statuses", "venues", "keyring", "records", "resident", "checker"),
    *("halls", "gates", "incidents", "notices"),
    *("exposures", "recompute"),
)
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "procrastinate.contrib.django",
    *[f"passlight.office.{app}" for app in _APPS],
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "passlight.office.pages.headers.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "passlight.office.pages.preferences.PreferencesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "passlight.office.accounts.middleware.SessionLimitsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "passlight.office.urls"
WSGI_APPLICATION = "passlight.office.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "passlight.office.pages.context.page",
            ],
        },
    },
]
AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [Path(__file__).parent / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "passlight.office.pages.storage.VersionedStorage"},
}
# WhiteNoise serves the files where they are; an address changes with its file's content.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_MAX_AGE = 365 * 24 * 3600
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
# The longest that anybody may be idle; accounts.middleware ends most sessions much earlier.
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
HTTPS = PASSLIGHT.public_url.startswith("https://")
if HTTPS:
    # "__Host-": the browser itself refuses this cookie from another host or without TLS.
    SESSION_COOKIE_NAME = "__Host-session"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Errors go to the process's log with their traceback and the route, never the address itself:
# an address may hold a handle.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"route": {"()": "passlight.office.pages.log.RouteOnly"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["route"]},
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django": {"handlers": [], "level": "WARNING"}},
}
