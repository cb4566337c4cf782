"""Tokens: the authorization server's answers, refreshing once, surviving outages, never in the clear."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text, update
from sqlalchemy.exc import OperationalError

from b24app.crypto import Vault
from b24app.oauth import tokens as tokens_module
from b24app.oauth.server import split_scopes
from b24app.oauth.tokens import StoredTokens
from b24app.rest import errors as e
from b24app.tables import tokens as tokens_table
from emulator.seed import add_user
from emulator.server import Emulator
from tests.http.reading import ADMIN, VAULT, Reading, eventually


@pytest.fixture
def reading(engine: Engine) -> Iterator[Reading]:
    with Emulator() as emulator:
        yield Reading(emulator, emulator.add_portal(), engine)


def code_of(reading: Reading) -> str:
    """An authorization code as the portal's page issues it."""
    from emulator.oauth import Code

    reading.emulator.auth._codes["c0de"] = Code(
        reading.emulator.client_id, reading.portal.member_id, ADMIN, reading.clock.now() + 30
    )
    return "c0de"


class TestAuthorizationServer:
    def test_a_code_becomes_tokens_though_the_answer_lacks_the_user(self, reading: Reading) -> None:
        pair = reading.auth.exchange_code(code_of(reading))
        assert pair.member_id == reading.portal.member_id
        assert pair.endpoint == f"http://{reading.portal.domain}/rest/"
        assert pair.user_id is None
        assert {"crm", "user"} <= set(pair.scopes)
        assert pair.status == "L"
        assert 3590 <= pair.expires_at - reading.clock.now() <= 3601
        assert reading.auth.app_info(pair.access).user_id == ADMIN

    def test_a_code_works_once(self, reading: Reading) -> None:
        code = code_of(reading)
        reading.auth.exchange_code(code)
        with pytest.raises(e.TokenDead):
            reading.auth.exchange_code(code)

    def test_refreshing_rotates_the_pair(self, reading: Reading) -> None:
        old = reading.emulator.issue_token(reading.portal, ADMIN)
        new = reading.auth.refresh(old["refresh_token"])
        assert (new.user_id, new.member_id) == (ADMIN, reading.portal.member_id)
        assert len({new.access, new.refresh, old["access_token"], old["refresh_token"]}) == 4
        with pytest.raises(e.TokenDead) as caught:
            reading.auth.refresh(old["refresh_token"])
        assert caught.value.code == "invalid_grant"

    def test_it_tells_whose_a_token_is(self, reading: Reading) -> None:
        info = reading.auth.app_info(reading.tokens().access())
        assert (info.client_id, info.member_id, info.user_id) == (
            "local.demo",
            reading.portal.member_id,
            ADMIN,
        )
        assert (info.domain, info.endpoint) == (
            reading.portal.domain,
            f"http://{reading.portal.domain}/rest/",
        )
        assert (info.installed, info.status) == (True, "L")
        assert abs(info.expires_at - reading.clock.now() - 3600) < 5

    @pytest.mark.parametrize("trouble", ["unknown", "expired", "revoked"])
    def test_a_token_that_it_does_not_know_is_expired(self, reading: Reading, trouble: str) -> None:
        access = reading.tokens().access() if trouble != "unknown" else "nonsense"
        if trouble == "expired":
            reading.emulator.expire_tokens(reading.portal)
        if trouble == "revoked":
            reading.emulator.auth.revoke(reading.emulator.site(reading.portal))
        with pytest.raises(e.TokenExpired):
            reading.auth.app_info(access)

    @pytest.mark.one_database
    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            ("invalid_grant", e.TokenDead),
            ("invalid_client", e.WrongClient),
            ("wrong_client", e.WrongClient),
            ("unpaid", e.PaymentRequired),
            ("not_installed", e.AppRemoved),
            ("html500", e.GarbageAnswer),
            ("502", e.GarbageAnswer),
            ("html403", e.GarbageAnswer),
            ("garbage", e.GarbageAnswer),
            ("empty", e.GarbageAnswer),
            ("null", e.GarbageAnswer),
            ("redirect", e.GarbageAnswer),
            ("close", e.Unreachable),
            ("half_body", e.RetryLater),
        ],
    )
    def test_its_errors_are_typed(self, reading: Reading, kind: str, error: type[e.RestError]) -> None:
        pair = reading.emulator.issue_token(reading.portal, ADMIN)
        reading.emulator.auth.faults.add(kind)
        with pytest.raises(e.RestError) as caught:
            reading.auth.refresh(pair["refresh_token"])
        assert isinstance(caught.value, error)
        assert caught.value.__cause__ is None  # a cause would quote the URL, and the secret in it

    def test_only_configured_servers_are_asked(self, reading: Reading) -> None:
        auth, here = reading.auth, reading.emulator.auth_url
        assert auth.choose(None) == auth.choose("") == here
        assert auth.choose(f"{here}/rest/") == here
        assert auth.choose("https://OAuth.Example/rest/") == "https://oauth.example"
        assert auth.choose("http://oauth.example/rest/") == "https://oauth.example"  # it only chooses
        for foreign in (
            "https://evil.example/rest/",
            "https://oauth.example:8443/rest/",
            "https://oauth.example.evil.example/",
            "https://oauth.example@evil.example/",
            "https://evil.example/oauth.example",
            "oauth.example\\@evil.example",
        ):
            with pytest.raises(e.AddressRefused):
                auth.choose(foreign)

    @pytest.mark.parametrize(
        ("text", "scopes"),
        [
            ("crm,user", ("crm", "user")),
            ("crm user", ("crm", "user")),
            ("CRM, user,crm", ("crm", "user")),
            ("", ()),
            (None, ()),
            (["crm"], ("crm",)),
        ],
    )
    def test_scopes_are_separated_by_commas_or_spaces(self, text: Any, scopes: tuple[str, ...]) -> None:
        assert split_scopes(text) == scopes


class TestStored:
    def test_nothing_is_readable_in_the_database(self, reading: Reading) -> None:
        pair = reading.store(ADMIN)
        with reading.engine.connect() as conn:
            everything = str(conn.execute(text("SELECT * FROM tokens")).all())
        assert pair["access_token"] not in everything
        assert pair["refresh_token"] not in everything
        assert reading.tokens().access() == pair["access_token"]

    def test_a_token_that_should_still_work_is_not_refreshed(self, reading: Reading) -> None:
        reading.tokens().access()
        reading.tokens().access()
        assert reading.emulator.auth.refreshes == 0

    def test_a_token_known_to_end_is_refreshed_before_use(self, reading: Reading) -> None:
        pair = reading.store(ADMIN, lives_s=30)
        access = reading.tokens().access()
        assert access != pair["access_token"]
        assert reading.emulator.auth.refreshes == 1
        row = reading.token_row()
        assert VAULT.open(row.access) == access
        assert (row.version, row.refreshing_since, row.dead_reason) == (3, None, None)

    def test_keys_can_be_changed(self, reading: Reading) -> None:
        pair = reading.store(ADMIN)
        tokens = StoredTokens(reading.engine, Vault(["new", "a key of the tests"]), reading.auth, 1, ADMIN)
        assert tokens.access() == pair["access_token"]
        tokens = StoredTokens(reading.engine, Vault(["new"]), reading.auth, 1, ADMIN)
        with pytest.raises(e.TokenDead, match="key"):
            tokens.access()

    def test_an_outage_does_not_matter_while_the_token_lives(self, reading: Reading) -> None:
        pair = reading.store(ADMIN, lives_s=30)
        reading.emulator.auth.faults.add("502", times=None)
        assert reading.tokens().access() == pair["access_token"]

    @pytest.mark.parametrize("kind", ["502", "close", "hang", "garbage", "500"])
    def test_an_outage_in_the_middle_of_a_refresh_loses_nothing(
        self, reading: Reading, kind: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("b24app.oauth.server.TIMEOUT_S", 0.3)
        pair = reading.store(ADMIN, lives_s=-1)
        reading.emulator.auth.faults.add(kind, seconds=1)
        with pytest.raises(e.RetryLater):
            reading.tokens().access()
        row = reading.token_row()
        assert (row.refreshing_since, row.dead_reason) == (None, None)
        assert reading.tokens().access() not in ("", pair["access_token"])

    def test_a_lost_answer_is_survived_where_the_old_token_lives_on(self, reading: Reading) -> None:
        reading.emulator.auth.old_refresh_lives = True
        reading.store(ADMIN, lives_s=-1)
        reading.emulator.auth.faults.add("lost_answer")
        with pytest.raises(e.RetryLater):
            reading.tokens().access()
        assert reading.client().call("profile").result["ID"] == "1"

    def test_a_refused_refresh_is_remembered_and_not_asked_again(self, reading: Reading) -> None:
        reading.store(ADMIN, lives_s=-1)
        reading.emulator.auth.revoke(reading.emulator.site(reading.portal))
        for _ in range(3):
            with pytest.raises(e.TokenDead) as caught:
                reading.tokens().access()
            assert caught.value.code == "invalid_grant"
        assert reading.token_row().dead_reason == "invalid_grant"
        assert reading.emulator.auth.counters.by_method["refresh_token"] == 1

    def test_the_next_opening_by_the_person_revives_a_dead_token(self, reading: Reading) -> None:
        reading.store(ADMIN, lives_s=-1)
        reading.emulator.auth.revoke(reading.emulator.site(reading.portal))
        with pytest.raises(e.TokenDead):
            reading.tokens().access()
        pair = reading.store(ADMIN)
        assert reading.tokens().access() == pair["access_token"]

    @pytest.mark.parametrize("kind", ["unpaid", "not_installed", "invalid_client"])
    def test_refusals_that_are_not_about_the_token_leave_it_alive(self, reading: Reading, kind: str) -> None:
        reading.store(ADMIN, lives_s=-1)
        reading.emulator.auth.faults.add(kind)
        with pytest.raises(e.RestError):
            reading.tokens().access()
        assert reading.token_row().dead_reason is None
        assert reading.tokens().access()

    def test_unknown_people_and_portals_have_no_token(self, reading: Reading) -> None:
        with pytest.raises(e.TokenDead):
            reading.tokens(99).access()
        stranger = StoredTokens(reading.engine, VAULT, reading.auth, 77, ADMIN)
        with pytest.raises(e.TokenDead):
            stranger.endpoint()

    def test_each_person_has_a_token(self, reading: Reading) -> None:
        clerk = add_user(reading.portal, "Nina", "Clerk", departments=[1])
        reading.store(clerk, lives_s=-1)
        reading.tokens(clerk).access()
        assert reading.token_row(ADMIN).version == 1
        assert reading.token_row(clerk).version == 2

    def test_a_refresh_brings_the_present_address(self, reading: Reading) -> None:
        new = reading.emulator.rename(reading.portal)
        reading.store(ADMIN, lives_s=-1)
        reading.tokens().access()
        assert (reading.portal_row().domain, reading.tokens().endpoint()) == (new, f"http://{new}/rest/")

    def test_an_address_that_is_not_allowed_is_not_taken_over(self, reading: Reading) -> None:
        old = reading.portal_row().endpoint
        reading.emulator.rename(reading.portal)
        reading.store(ADMIN, lives_s=-1)
        StoredTokens(reading.engine, VAULT, reading.auth, 1, ADMIN, clock=reading.clock.now).access()
        assert reading.portal_row().endpoint == old

    def test_a_pair_of_another_portal_is_not_stored(self, reading: Reading) -> None:
        stranger = reading.emulator.add_portal()
        reading.emulator.install(stranger)
        foreign = reading.emulator.issue_token(stranger, ADMIN)
        with reading.engine.begin() as conn:
            conn.execute(
                update(tokens_table).values(refresh=VAULT.seal(foreign["refresh_token"]), expires_at=0)
            )
        with pytest.raises(e.AddressRefused):
            reading.tokens().access()
        assert reading.token_row().expires_at == 0


class TestAtTheSameMoment:
    def test_threads_refresh_once_and_all_get_the_new_token(self, reading: Reading) -> None:
        reading.store(ADMIN, lives_s=-1)
        reading.emulator.auth.faults.add("slow", seconds=0.2)
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(reading.tokens().access())) for _ in range(10)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 10
        assert found == [VAULT.open(reading.token_row().access)] * 10
        assert reading.emulator.auth.refreshes == 1

    def test_processes_refresh_once(self, reading: Reading, database_url: str) -> None:
        reading.store(ADMIN, lives_s=-1)
        reading.emulator.auth.faults.add("slow", seconds=0.5)
        program = (
            "from b24app.crypto import Vault; from b24app.db import open_engine\n"
            "from b24app.oauth.server import AuthServer; from b24app.oauth.tokens import StoredTokens\n"
            "from tests.http.reading import Credentials\n"
            f"auth = AuthServer(Credentials('local.demo', 'secret', ({reading.emulator.auth_url!r},)))\n"
            f"engine, vault = open_engine({database_url!r}), Vault(['a key of the tests'])\n"
            "tokens = StoredTokens(engine, vault, auth, 1, 1)\n"
            "input()\n"
            "print(tokens.access())\n"
        )
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", program],
                cwd=Path(__file__).parents[2],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(3)
        ]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        found = {process.communicate(timeout=30)[0].strip() for process in processes}
        assert found == {VAULT.open(reading.token_row().access)}
        assert reading.emulator.auth.refreshes == 1

    def test_a_claim_of_a_process_that_died_runs_out(self, reading: Reading) -> None:
        reading.store(ADMIN, lives_s=-1)
        with reading.engine.begin() as conn:
            conn.execute(update(tokens_table).values(refreshing_since=reading.clock.now() - 1))
        with pytest.raises(e.RetryLater) as caught:
            reading.tokens(sleep=reading.clock.sleep).access()
        assert caught.value.code == "refresh_pending"
        reading.clock.sleep(tokens_module.CLAIM_S)
        assert reading.tokens().access()
        assert reading.emulator.auth.refreshes == 1

    def test_one_failed_refresh_fails_for_all_who_waited(self, reading: Reading) -> None:
        reading.store(ADMIN, lives_s=-1)
        reading.emulator.auth.faults.add("hang", times=None, seconds=0.3)

        def try_it() -> None:
            with pytest.raises(e.RetryLater):
                reading.tokens().access()

        threads = [threading.Thread(target=try_it) for _ in range(6)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - started < 1.5  # not one after the other
        assert reading.token_row().dead_reason is None

    def test_a_loser_of_the_race_takes_the_winner_s_token(self, reading: Reading) -> None:
        stale = reading.tokens().access()
        reading.emulator.expire_tokens(reading.portal)
        first = reading.tokens().renew(stale)
        second = reading.tokens().renew(stale)
        assert first == second != stale
        assert reading.emulator.auth.refreshes == 1

    def test_an_invalid_grant_of_a_loser_does_not_kill_the_winner_s_pair(self, reading: Reading) -> None:
        reading.store(ADMIN, lives_s=-1)
        reading.emulator.auth.faults.add("slow", seconds=0.3, method="refresh_token")
        loser = threading.Thread(target=lambda: found.append(reading.tokens().access()))
        found: list[str] = []
        reading.emulator.auth.revoke(reading.emulator.site(reading.portal))
        loser.start()
        assert eventually(lambda: reading.token_row().refreshing_since is not None)
        pair = reading.store(ADMIN)  # the person opens the app just now
        loser.join()
        assert found == [pair["access_token"]]
        assert reading.token_row().dead_reason is None

    def test_a_new_pair_waits_for_a_database_that_is_away(self, reading: Reading) -> None:
        reading.store(ADMIN, lives_s=-1)
        failures = iter([True, True])

        def fail(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if statement.startswith("UPDATE tokens SET access") and next(failures, False):
                raise OperationalError(statement, {}, Exception("database is locked"))

        event.listen(reading.engine, "before_cursor_execute", fail)
        slept: list[float] = []
        access = reading.tokens(sleep=slept.append).access()
        assert VAULT.open(reading.token_row().access) == access
        assert len(slept) == 2
        assert reading.emulator.auth.refreshes == 1


def test_a_token_pair_does_not_print_its_tokens(reading: Reading) -> None:
    pair = reading.auth.refresh(reading.emulator.issue_token(reading.portal, ADMIN)["refresh_token"])
    assert pair.access not in repr(pair)
    assert pair.refresh not in repr(pair)
