from __future__ import annotations

import stat
from pathlib import Path

import pytest

from b24app.config import ConfigError, load

CREDENTIALS = {"B24APP_CLIENT_ID": "local.demo", "B24APP_CLIENT_SECRET": "secret"}


def settings_of(folder: Path, **more: str) -> dict[str, str]:
    return {**CREDENTIALS, "B24APP_VAR_DIR": str(folder), **{f"B24APP_{k}": v for k, v in more.items()}}


def test_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    settings = load(settings_of(tmp_path))
    assert settings.bind == "127.0.0.1:8024"
    assert settings.public_url == "http://127.0.0.1:8024"
    assert settings.oauth_urls == ("https://oauth.bitrix.info", "https://oauth.bitrix24.tech")
    assert settings.database_url == f"sqlite:///{tmp_path}/b24app.sqlite3"
    assert settings.redis_url is None
    assert settings.allow_private_portals is False


def test_a_key_is_made_once_and_only_the_owner_may_read_it(tmp_path: Path) -> None:
    first = load(settings_of(tmp_path)).secret_keys
    assert len(first[0]) >= 32
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert load(settings_of(tmp_path)).secret_keys == first
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_several_keys_and_servers_are_listed_by_commas(tmp_path: Path) -> None:
    settings = load(
        settings_of(tmp_path, SECRET_KEY="new, old", OAUTH_URL="http://127.0.0.1:9100/, https://b.c")
    )
    assert settings.secret_keys == ("new", "old")
    assert settings.oauth_urls == ("http://127.0.0.1:9100", "https://b.c")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLIENT_ID", " "),
        ("CLIENT_SECRET", ""),
        ("BIND", "8024"),
        ("BIND", "0.0.0.0:http"),
        ("PUBLIC_URL", "kpi.example"),
        ("OAUTH_URL", "ftp://oauth.example"),
        ("ALLOW_PRIVATE_PORTALS", "maybe"),
        ("DATABASE_PARTITIONS", "many"),
        ("DATABASE_PARTITIONS", "5000"),
        ("DATABASE_PARTITIONS", "8"),  # with SQLite
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"B24APP_{name}"):
        load(settings_of(tmp_path, **{name: value}))


def test_secrets_do_not_show_in_settings(tmp_path: Path) -> None:
    shown = repr(load(settings_of(tmp_path, SECRET_KEY="very-hidden")))
    assert "very-hidden" not in shown
    assert "secret" not in shown.replace("client_secret", "")
