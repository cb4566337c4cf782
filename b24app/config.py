"""Settings of the app, read from the environment once and checked there."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: `frontend/`, `manifest/` and by default `var/` live here."""

MOST_PARTITIONS = 1024

OAUTH_URLS = "https://oauth.bitrix.info,https://oauth.bitrix24.tech"


class ConfigError(Exception):
    """A setting is missing or impossible; the text names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides. Addresses carry no final slash."""

    client_id: str
    client_secret: str
    oauth_urls: tuple[str, ...]
    database_url: str
    secret_keys: tuple[str, ...]
    var_dir: Path
    bind: str = "127.0.0.1:8024"
    public_url: str = "http://127.0.0.1:8024"
    redis_url: str | None = None
    database_partitions: int = 0
    allow_private_portals: bool = False
    log_format: str = "text"
    metrics_bind: str | None = None

    def __repr__(self) -> str:
        """Without the secrets: settings end up in tracebacks."""
        return f"Settings(bind={self.bind!r}, public_url={self.public_url!r}, client_id={self.client_id!r})"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from `B24APP_…` variables.

    Raises: ConfigError naming the variable that is missing or wrong.
    """
    env = os.environ if environ is None else environ

    def value(name: str, default: str = "") -> str:
        return env.get(f"B24APP_{name}", "").strip() or default

    for name in ("CLIENT_ID", "CLIENT_SECRET"):
        if not value(name):
            raise ConfigError(f"B24APP_{name} is not set: the application's credentials from its card")
    var_dir = Path(value("VAR_DIR", str(ROOT / "var"))).resolve()
    return Settings(
        bind=_bind("BIND", value("BIND", "127.0.0.1:8024")),
        public_url=_address("PUBLIC_URL", value("PUBLIC_URL", "http://127.0.0.1:8024")),
        client_id=value("CLIENT_ID"),
        client_secret=value("CLIENT_SECRET"),
        oauth_urls=tuple(_address("OAUTH_URL", url) for url in _listed(value("OAUTH_URL", OAUTH_URLS))),
        database_url=value("DATABASE_URL") or _own_database(var_dir),
        redis_url=value("REDIS_URL") or None,
        database_partitions=_partitions(value("DATABASE_PARTITIONS", "0"), value("DATABASE_URL")),
        secret_keys=tuple(_listed(value("SECRET_KEY"))) or (_own_secret(var_dir),),
        allow_private_portals=_flag("ALLOW_PRIVATE_PORTALS", value("ALLOW_PRIVATE_PORTALS", "0")),
        log_format=_choice("LOG_FORMAT", value("LOG_FORMAT", "text"), ("text", "json")),
        metrics_bind=_bind("METRICS_BIND", value("METRICS_BIND")) if value("METRICS_BIND") else None,
        var_dir=var_dir,
    )


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _choice(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise ConfigError(f"B24APP_{name} must be {' or '.join(known)}, not {text!r}")
    return text


def _bind(name: str, text: str) -> str:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"B24APP_{name} must be ADDRESS:PORT, not {text!r}")
    return text


def _address(name: str, text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ConfigError(f"B24APP_{name} must be an http(s) address, not {text!r}")
    return text.rstrip("/")


def _flag(name: str, text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ConfigError(f"B24APP_{name} must be 0 or 1, not {text!r}")


def _partitions(text: str, database_url: str) -> int:
    if not text.isdecimal() or int(text) > MOST_PARTITIONS:
        raise ConfigError(
            f"B24APP_DATABASE_PARTITIONS must be a number up to {MOST_PARTITIONS}, not {text!r}"
        )
    if int(text) and not database_url.startswith("postgresql"):
        raise ConfigError("B24APP_DATABASE_PARTITIONS needs a PostgreSQL in B24APP_DATABASE_URL")
    return int(text)


def _own_database(var_dir: Path) -> str:
    var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{var_dir / 'b24app.sqlite3'}"


def _own_secret(var_dir: Path) -> str:
    """The key of this installation, made once; only its owner may read the file."""
    var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = var_dir / "secret_key"
    if not path.exists():
        # Written aside and linked into place: two processes that start together agree on one whole key.
        draft = var_dir / f"secret_key.{os.getpid()}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    key = path.read_text("ascii").strip()
    if not key:
        raise ConfigError(
            f"B24APP_SECRET_KEY is not set and {path} is empty: delete that file or set the key"
        )
    return key
