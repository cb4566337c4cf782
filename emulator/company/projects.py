"""Invented projects: workgroups, tasks with their histories, time records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from emulator.company import cast
from emulator.company.cast import Person
from emulator.company.year import Year
from emulator.world import Portal, Row

WAITING, RUNNING, CONTROL, DONE, DEFERRED = 2, 3, 4, 5, 6
GROUPS = (
    "Бизнес-центр «Маяк»", "Склад «Северный»", "Клиника на Литейном", "Отель «Прибой»",
    "Завод автоматики", "Сервисные договоры", "Каталог 2.0", "Торговый центр «Галерная»",
)  # fmt: skip
TITLES = (
    "Обследование объекта", "Расчёт теплопритоков", "Рабочая документация", "Смета на материалы",
    "Монтаж воздуховодов", "Пусконаладка", "Прокладка трасс", "Исполнительная схема", "Замена фильтров",
    "Подключение автоматики", "Приёмка оборудования", "Устранение замечаний",
)  # fmt: skip
TASKS_A_DAY = 2.3


@dataclass
class Job:
    """A task before it has an id, with what happened to it."""

    row: Row
    history: list[Row] = field(default_factory=list)
    records: list[Row] = field(default_factory=list)

    def note(self, at: datetime, user: int, name: str, before: object, after: object) -> None:
        self.history.append({"CREATED_DATE": at, "FIELD": name, "FROM": before, "TO": after, "USER_ID": user})
        self.row["CHANGED_DATE"] = max(self.row["CHANGED_DATE"], at)

    def turn(self, at: datetime, user: int, status: int) -> None:
        self.note(at, user, "STATUS", self.row["STATUS"], status)
        self.row.update(STATUS=status, STATUS_CHANGED_DATE=at, STATUS_CHANGED_BY=user)


def add_projects(portal: Portal, year: Year) -> None:
    """Add projects and the year's tasks in the order in which they were set."""
    for number, name in enumerate(GROUPS):
        portal.put("group", _group(year, number, name), quiet=True)
    jobs: list[Job] = []
    for day in year.days():
        builders = [person for person in cast.BUILDERS if person.works_on(day, year.today)]
        for _ in range(year.how_many(TASKS_A_DAY * min(1.0, year.demand(day)))):
            created = year.at_work(day)
            if created < year.now:
                jobs.append(_job(portal, year, created, year.random.choice(builders)))
    for job in sorted(jobs, key=lambda job: job.row["CREATED_DATE"]):
        task_id = portal.put("task", job.row, quiet=True)
        for row in (*job.history, *job.records):
            row["TASK_ID"] = task_id
    for kind, key, rows in (
        ("task_history", "CREATED_DATE", [row for job in jobs for row in job.history]),
        ("time_record", "DATE_START", [row for job in jobs for row in job.records]),
    ):
        for row in sorted(rows, key=lambda row: row[key]):
            portal.put(kind, row, quiet=True)


def _group(year: Year, number: int, name: str) -> Row:
    started = year.at_work(year.first_day + timedelta(days=number * 25))
    is_closed = number == 4
    return {
        "NAME": name,
        "DESCRIPTION": "",
        "ACTIVE": True,
        "VISIBLE": True,
        "OPENED": number % 3 != 2,
        "CLOSED": is_closed,
        "PROJECT": number != 5,
        "OWNER_ID": 30 if number != 6 else 20,
        "DATE_CREATE": started,
        "DATE_UPDATE": started,
        "DATE_ACTIVITY": year.now - timedelta(days=number),
        "NUMBER_OF_MEMBERS": 6,
        "PROJECT_DATE_START": started.date() if number != 5 else None,
        "PROJECT_DATE_FINISH": started.date() + timedelta(days=200) if number != 5 else None,
        "MEMBERS": [30, 31, 32, 33, 34, 35] if number != 6 else [20, 21, 22, 31],
    }


def _job(portal: Portal, year: Year, created: datetime, person: Person) -> Job:
    random = year.random
    boss = 31 if cast.DESIGN in person.departments and person.id != 31 else 30
    estimate = random.choice((2, 4, 4, 8, 8, 12, 16, 24)) * 3600
    deadline = (
        None if random.random() < 0.08 else year.working(created + timedelta(days=random.uniform(2, 14)))
    )
    job = Job(
        {
            "TITLE": random.choice(TITLES),
            "DESCRIPTION": "",
            "PARENT_ID": None,
            "STATUS": WAITING,
            "STATUS_CHANGED_DATE": created,
            "STATUS_CHANGED_BY": boss,
            "CREATED_BY": boss,
            "CREATED_DATE": created,
            "RESPONSIBLE_ID": person.id,
            "ACCOMPLICES": [34] if person.id == 33 else [],
            "AUDITORS": [2] if random.random() < 0.1 else [],
            "CHANGED_BY": boss,
            "CHANGED_DATE": created,
            "CLOSED_BY": None,
            "CLOSED_DATE": None,
            "DATE_START": None,
            "START_DATE_PLAN": None,
            "END_DATE_PLAN": None,
            "DEADLINE": deadline,
            "TIME_ESTIMATE": estimate if random.random() < 0.8 else 0,
            "TIME_SPENT_IN_LOGS": None,
            "DURATION_FACT": None,
            "DURATION_PLAN": None,
            "DURATION_TYPE": "days",
            "GROUP_ID": random.choice([*range(1, len(GROUPS) + 1), 0]),
            "STAGE_ID": 0,
            "FLOW_ID": None,
            "MARK": None,
            "TASK_CONTROL": random.random() < 0.5,
            "PRIORITY": random.choice((1, 1, 1, 2)),
            "ALLOW_TIME_TRACKING": True,
            "UF_CRM_TASK": [],
        }
    )
    deals = portal.records["deal"]
    if random.random() < 0.3 and len(deals):
        job.row["UF_CRM_TASK"] = [f"D_{random.randint(1, len(deals))}"]
    job.note(created, boss, "NEW", None, None)
    if random.random() < 0.04:
        job.turn(min(created + timedelta(minutes=30), year.now), boss, DEFERRED)
        return job
    _work(year, job, person, boss, estimate)
    return job


def _work(year: Year, job: Job, person: Person, boss: int, estimate: int) -> None:
    """Start, log hours, hand in, perhaps get it back, finish."""
    random = year.random
    at = year.later(job.row["CREATED_DATE"], 1.5)
    if at >= year.now:
        return
    job.turn(at, person.id, RUNNING)
    job.row["DATE_START"] = at
    needed = int(estimate * random.lognormvariate(0.05, 0.35) / (0.5 + 0.5 * person.strength))
    at = _log(year, job, person, at, needed)
    while at < year.now and job.row["TASK_CONTROL"]:
        job.turn(at, person.id, CONTROL)
        checked = year.later(at, 0.6)
        if checked >= year.now:
            return
        if random.random() > 0.16:
            at = checked
            break
        job.turn(checked, boss, WAITING)
        job.note(checked, boss, "RENEW", None, None)
        at = _log(year, job, person, checked, needed // 4)
    if at >= year.now:
        return
    _close(job, at, boss)
    if random.random() < 0.03:  # reopened, finished once more
        again = year.later(at, 2.0)
        if again < year.now:
            job.turn(again, boss, WAITING)
            job.note(again, boss, "RENEW", None, None)
            job.row.update(CLOSED_DATE=None, CLOSED_BY=None)
            finish = _log(year, job, person, again, needed // 5)
            if finish < year.now:
                _close(job, finish, boss)
    if job.row["STATUS"] == DONE and random.random() < 0.4:
        mark = "P" if random.random() < 0.55 + 0.25 * person.strength else "N"
        job.note(min(job.row["CLOSED_DATE"] + timedelta(minutes=5), year.now), boss, "MARK", "", mark)
        job.row["MARK"] = mark


def _close(job: Job, at: datetime, boss: int) -> None:
    job.turn(at, boss, DONE)
    job.row.update(CLOSED_DATE=at, CLOSED_BY=boss)


def _log(year: Year, job: Job, person: Person, at: datetime, seconds: int) -> datetime:
    """Write time records until the work is done; returns when that is (maybe in the future)."""
    random = year.random
    while seconds > 0:
        piece = min(seconds, random.choice((3600, 7200, 10_800, 14_400)))
        stop = at + timedelta(seconds=piece)
        if stop >= year.now:
            return stop
        by_hand = random.random() < 0.3
        written = stop + timedelta(hours=20) if by_hand and stop + timedelta(hours=20) < year.now else stop
        job.records.append(
            {
                "USER_ID": person.id,
                "COMMENT_TEXT": "",
                "SECONDS": piece,
                "MINUTES": piece // 60,
                "SOURCE": 2 if by_hand else 3,
                "CREATED_DATE": stop,  # the day worked, even when entered later
                "DATE_START": written if by_hand else at,
                "DATE_STOP": written if by_hand else stop,
            }
        )
        job.row["TIME_SPENT_IN_LOGS"] = (job.row["TIME_SPENT_IN_LOGS"] or 0) + piece
        seconds -= piece
        at = year.working(stop + timedelta(hours=random.choice((1, 1, 18))))
    return at
