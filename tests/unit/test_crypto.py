from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app import clock
from b24app.crypto import BadToken, Signer, Unreadable, Vault


@given(st.text(max_size=300))
def test_what_is_sealed_opens_again(text: str) -> None:
    vault = Vault(["key"])
    sealed = vault.seal(text)
    assert vault.open(sealed) == text
    assert sealed.isascii()
    assert len(text) < 8 or text not in sealed


def test_every_key_reads_and_the_first_writes() -> None:
    old, both, new = Vault(["old"]), Vault(["new", "old"]), Vault(["new"])
    sealed = old.seal("token")
    assert both.open(sealed) == "token"
    assert new.open(both.rotate(sealed)) == "token"
    with pytest.raises(Unreadable):
        new.open(sealed)
    with pytest.raises(Unreadable):
        new.rotate(sealed)


def test_a_signed_token_carries_claims_until_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer(["key"])
    token = signer.sign("session", {"user": 7}, 60)
    assert signer.read("session", token)["user"] == 7
    now = clock.epoch()
    monkeypatch.setattr(clock, "epoch", lambda: now + 61)
    with pytest.raises(BadToken, match="expired"):
        signer.read("session", token)


def test_a_token_opens_only_the_door_it_was_made_for() -> None:
    signer = Signer(["key"])
    with pytest.raises(BadToken):
        signer.read("session", signer.sign("connect", {"user": 7}, 60))


def test_keys_rotate_for_signatures_too() -> None:
    token = Signer(["old"]).sign("session", {}, 60)
    Signer(["new", "old"]).read("session", token)
    with pytest.raises(BadToken):
        Signer(["new"]).read("session", token)
    with pytest.raises(BadToken):
        Signer(["old"]).read("session", Signer(["new", "old"]).sign("session", {}, 60))


@given(st.integers(min_value=0, max_value=200), st.characters(codec="ascii"))
def test_a_changed_token_is_no_token(position: int, replacement: str) -> None:
    signer = Signer(["key"])
    token = signer.sign("session", {"portal": 1, "user": 7}, 60)
    changed = token[: position % len(token)] + replacement + token[position % len(token) + 1 :]
    try:
        claims = signer.read("session", changed)
    except BadToken:
        return
    assert claims == signer.read("session", token)  # the last character of base64 has spare bits
