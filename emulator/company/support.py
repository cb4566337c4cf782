"""Invented support: open-line sessions with their messages and votes, and calls to the first line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from emulator.company import cast
from emulator.company.cast import Person
from emulator.company.contacts import IN, activity, call_row
from emulator.company.year import Year
from emulator.world import Portal, Row

SESSIONS_A_DAY, CALLS_A_DAY = 4.2, 3.0
LINES = ((1, "livechat", 0.55), (2, "telegrambot", 0.3), (3, "whatsappbyedna", 0.15))
QUESTIONS = (
    "Здравствуйте! Кондиционер показывает ошибку E5.", "Когда приедет бригада?", "Нужна замена фильтров.",
    "Подскажите, где найти паспорт изделия?", "После монтажа шумит наружный блок.", "Как оплатить счёт?",
)  # fmt: skip
ANSWERS = (
    "Добрый день! Уже смотрю ваш заказ.", "Здравствуйте! Подскажите, пожалуйста, номер договора.",
    "Передал заявку инженеру, он позвонит сегодня.", "Инструкция отправлена вам на почту.",
)  # fmt: skip
CLIENT_SENDERS = 5_000  # ids of chat clients start here: connector users, no employees


def add_sessions(portal: Portal, year: Year) -> None:
    """Add the year's chats and support calls in the order in which they began."""
    clients = [("COMPANY", row["id"]) for row in portal.records["company"]]
    clients += [("CONTACT", row["id"]) for row in portal.records["contact"]]
    sessions: list[tuple[Row, list[Row]]] = []
    calls: list[Row] = []
    session_id = 100
    for day in year.days():
        operators = [person for person in cast.OPERATORS if person.works_on(day, year.today)]
        opened = sorted(_openings(year, day, SESSIONS_A_DAY))
        for at in opened:
            session_id += 1
            sessions.append(_session(year, session_id, at, operators, year.random.choice(clients)))
        calls += [_call(year, at, operators, clients) for at in sorted(_openings(year, day, CALLS_A_DAY))]
    for row, messages in sessions:
        portal.put("activity", row, quiet=True)
        for message in messages:
            portal.put("session_message", message, quiet=True)
    for call in calls:
        portal.put("call", call, quiet=True)


def _openings(year: Year, day: date, mean: float) -> list[datetime]:
    moments = [year.at_work(day) for _ in range(year.how_many(mean * year.demand(day)))]
    return [at for at in moments if at < year.now]


def _session(
    year: Year, session_id: int, at: datetime, operators: Sequence[Person], client: tuple[str, int]
) -> tuple[Row, list[Row]]:
    """The activity of one chat and its messages; a few are never answered, some are still open."""
    random = year.random
    operator = random.choice(operators)
    line, connector, _ = random.choices(LINES, [share for _, _, share in LINES])[0]
    chat_id = 20_000 + session_id
    client_id = CLIENT_SENDERS + client[1] + (1_000 if client[0] == "CONTACT" else 0)
    talk = _Talk(session_id, chat_id)
    talk.say(client_id, at, random.choice(QUESTIONS))
    talk.say(cast.BOT_ID, at + timedelta(seconds=2), "Ваше обращение принято, оператор скоро ответит.")
    answered = at + timedelta(seconds=int(random.lognormvariate(5.0, 0.9) / operator.strength) + 15)
    is_answered = answered < year.now and random.random() < 0.96
    ended = answered
    if is_answered:
        talk.say(operator.id, answered, random.choice(ANSWERS))
        for _ in range(random.randint(0, 3)):
            ended += timedelta(seconds=int(random.expovariate(1 / 400)) + 20)
            talk.say(client_id, ended, "Спасибо, проверю.")
            ended += timedelta(seconds=int(random.expovariate(1 / 300)) + 20)
            talk.say(operator.id, ended, random.choice(ANSWERS))
    ended += timedelta(seconds=int(random.expovariate(1 / 5_000)) + 60)
    is_closed = ended < year.now and random.random() < 0.985
    if is_closed:
        vote = 0
        if is_answered and random.random() < 0.45:
            vote = 5 if random.random() < 0.6 + 0.25 * operator.strength else 1
        talk.say(0, ended, "Диалог завершён", imolVoteSid=session_id, imolVoteUser=vote, imolVoteHead=0)
    talk.messages = [message for message in talk.messages if message["DATE"] < year.now]
    last = talk.messages[-1]["DATE"]
    row = activity(
        {"COMPANY": 4, "CONTACT": 3}[client[0]],
        client[1],
        operator.id,
        at,
        PROVIDER_ID="IMOPENLINES_SESSION",
        PROVIDER_TYPE_ID=str(line),
        ASSOCIATED_ENTITY_ID=session_id,
        SUBJECT="Чат с клиентом",
        DIRECTION=IN,
        ORIGIN_ID=f"IMOL_{session_id}",
        END_TIME=ended if is_closed else last,
        DEADLINE=ended if is_closed else last,
        LAST_UPDATED=last,
        COMPLETED=is_closed,
        STATUS=3 if is_closed else 1,
        RESULT_STATUS=2 if is_answered else 1,
        RESULT_STREAM=1,
        RESULT_SOURCE_ID=connector,
        PROVIDER_PARAMS={"USER_CODE": f"{connector}|{line}|{chat_id}|{client_id}"},
    )
    return row, talk.messages


class _Talk:
    def __init__(self, session_id: int, chat_id: int) -> None:
        self.session_id, self.chat_id = session_id, chat_id
        self.messages: list[Row] = []

    def say(self, sender: int, at: datetime, text: str, **params: int) -> None:
        self.messages.append(
            {
                "SESSION_ID": self.session_id,
                "CHAT_ID": self.chat_id,
                "SENDER_ID": sender,
                "DATE": at,
                "TEXT": text,
                "PARAMS": params,
            }
        )


def _call(year: Year, at: datetime, operators: Sequence[Person], clients: list[tuple[str, int]]) -> Row:
    random = year.random
    operator = random.choice(operators)
    code = "200" if random.random() < 0.84 + 0.05 * operator.strength else "304"
    row = call_row(year, operator.id, at, 2, seconds=int(random.lognormvariate(5.2, 0.7)), code=code)
    if random.random() < 0.7:
        row["CRM_ENTITY_TYPE"], row["CRM_ENTITY_ID"] = random.choice(clients)
    if code == "200" and random.random() < 0.35:
        row["CALL_VOTE"] = random.choices((1, 2, 3, 4, 5), (0.05, 0.05, 0.12, 0.3, 0.48))[0]
    return row
