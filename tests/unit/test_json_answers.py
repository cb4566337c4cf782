"""Answers are UTF-8 letters, whatever a request brought in."""

from __future__ import annotations

from flask import Flask

from b24app.web.json_answers import JsonAnswers


def test_letters_go_out_as_letters_in_the_given_order() -> None:
    assert JsonAnswers(Flask("test")).dumps({"б": "Сделка", "а": 1}) == '{"б": "Сделка", "а": 1}'


def test_half_a_character_does_not_break_the_answer() -> None:
    assert JsonAnswers(Flask("test")).dumps({"detail": "no \udc80 here"}) == '{"detail": "no ? here"}'
