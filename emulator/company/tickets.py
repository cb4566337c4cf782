"""Invented smart processes: the help desk with its tickets, installation projects with budgets; invoices."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from emulator import crm_types, rows, seed
from emulator.company import cast
from emulator.company.cast import Person
from emulator.company.year import Year
from emulator.world import DYNAMIC, Portal, Row

HELP_DESK, PROJECTS = 1036, 1040  # entityTypeIds
HELP_DESK_TYPE, PROJECTS_TYPE = 3, 5  # ids of the types: custom fields are named after them
TICKETS_A_DAY, PROJECTS_A_DAY = 0.72, 0.16
RATING, PLANNED, ACTUAL = "ufCrm3_1700000101", "ufCrm5_1700000201", "ufCrm5_1700000202"
OBJECT = "ufCrm_1700000301"
"""A list on deals: what the equipment is for."""

TICKET_STAGES: tuple[rows.Stage, ...] = (
    ("NEW", "Новое обращение", None, "#22B9FF"),
    ("PREPARATION", "В работе", None, "#88B9FF"),
    ("CLIENT", "Ждём клиента", None, "#10E5FC"),
    ("SUCCESS", "Решено", "S", "#00FF00"),
    ("FAIL", "Отклонено", "F", "#FF0000"),
)
PROJECT_STAGES: tuple[rows.Stage, ...] = (
    ("NEW", "Планирование", None, "#22B9FF"),
    ("PREPARATION", "Монтаж", None, "#88B9FF"),
    ("CLIENT", "Приёмка", None, "#10E5FC"),
    ("SUCCESS", "Сдан", "S", "#00FF00"),
    ("FAIL", "Остановлен", "F", "#FF0000"),
)
RATINGS = ("Отлично", "Хорошо", "Плохо")
OBJECTS = ("Офис", "Магазин", "Производство", "Квартира")
SUBJECTS = (
    "Не включается внутренний блок", "Течёт конденсат", "Шум наружного блока", "Нужна чистка фильтров",
    "Ошибка E5 на пульте", "Замена пульта", "Вопрос по гарантии", "Перенос трассы",
)  # fmt: skip
SITES = ("Офис на Невском", "Склад в Шушарах", "Магазин «Уют»", "Цех № 4", "Фитнес-клуб «Волна»")


@dataclass
class Case:
    """An item before it has an id, with the stages it entered."""

    row: Row
    kind: str
    category: int
    stays: list[tuple[int, datetime, str, str]] = field(default_factory=list)

    def enter(self, step: int, at: datetime, code: str, semantic: str = "P") -> None:
        before = self.row.get("stageId", "")
        stage = crm_types.stage_id(self.kind, self.category, code)
        self.stays.append((step, at, stage, semantic))
        self.row.update(
            stageId=stage, stageSemanticId=semantic, previousStageId=before, movedTime=at, updatedTime=at,
            lastActivityTime=at,
        )  # fmt: skip


def add_tickets(portal: Portal, year: Year) -> None:
    """Add both smart processes, a list on deals, and invoices, each with a year of items."""
    desk = _smart_process(portal, year, HELP_DESK, HELP_DESK_TYPE, "Обращения", TICKET_STAGES, ())
    jobs = _smart_process(portal, year, PROJECTS, PROJECTS_TYPE, "Проекты", PROJECT_STAGES, (2,))
    seed.add_custom_field(
        portal, f"{DYNAMIC}{HELP_DESK}", "Оценка клиента", "enumeration", code="1700000101", choices=RATINGS
    )
    for code, title in (("1700000201", "Бюджет, план"), ("1700000202", "Бюджет, факт")):
        seed.add_custom_field(portal, f"{DYNAMIC}{PROJECTS}", title, "double", code=code)
    seed.add_custom_field(portal, "deal", "Объект", "enumeration", code="1700000301", choices=OBJECTS)
    ratings, objects = (
        [one["ID"] for one in row["enum"]] for row in portal.records["user_field"] if row["enum"]
    )
    clients = [("companyId", row["id"]) for row in portal.records["company"]]
    clients += [("contactId", row["id"]) for row in portal.records["contact"]]
    cases: list[Case] = []
    for day in year.days():
        operators = [person for person in cast.OPERATORS if person.works_on(day, year.today)]
        for _ in range(year.how_many(TICKETS_A_DAY * year.demand(day))):
            cases.append(
                _ticket(year, year.at_work(day), year.random.choice(operators), clients, desk, ratings)
            )
        for _ in range(year.how_many(PROJECTS_A_DAY * min(1.0, year.demand(day)))):
            cases.append(_project(portal, year, year.at_work(day), jobs))
    cases += _invoices(portal, year)
    _store(portal, [case for case in cases if case.row["createdTime"] < year.now])
    for deal in portal.records["deal"]:
        if year.random.random() < 0.4:
            deal[OBJECT] = year.random.choice(objects)


def _smart_process(
    portal: Portal,
    year: Year,
    entity_type: int,
    type_id: int,
    title: str,
    stages: tuple[rows.Stage, ...],
    parents: tuple[int, ...],
) -> int:
    """Set one up; the id of its pipeline."""
    begun = year.at(year.first_day, 9)
    seed.add_smart_process(
        portal,
        title,
        entity_type_id=entity_type,
        stages=stages,
        parents=parents,
        pipeline="Общее",
        id=type_id,
        isCategoriesEnabled=False,
        isLinkWithProductsEnabled=False,
        createdTime=begun,
        updatedTime=begun,
    )
    return crm_types.default_category(portal, f"{DYNAMIC}{entity_type}")


def _case(kind: str, category: int, title: str, at: datetime, owner: int) -> Case:
    row: Row = {
        "title": title, "xmlId": None, "createdTime": at, "updatedTime": at, "createdBy": owner,
        "updatedBy": owner, "assignedById": owner, "movedBy": owner, "opened": True, "webformId": None,
        "begindate": at.date(), "closedate": (at + timedelta(days=7)).date(), "companyId": None,
        "contactId": None, "contactIds": [], "observers": [], "categoryId": category, "sourceId": None,
        "sourceDescription": None, "mycompanyId": None, "lastActivityBy": owner, "lastActivityTime": at,
    }  # fmt: skip
    return Case(row, kind, category)


def _ticket(
    year: Year,
    at: datetime,
    operator: Person,
    clients: list[tuple[str, int]],
    category: int,
    ratings: list[int],
) -> Case:
    """A ticket on its way; a few are reopened, a few wait for ever, some have no client."""
    random = year.random
    case = _case(f"{DYNAMIC}{HELP_DESK}", category, random.choice(SUBJECTS), at, operator.id)
    if random.random() < 0.93:
        name, number = random.choice(clients)
        case.row[name] = number
        if name == "contactId":
            case.row["contactIds"] = [number]
    case.enter(rows.CREATED, at, "NEW")
    taken = year.working(
        at + timedelta(seconds=int(random.lognormvariate(7.6, 0.8) / operator.strength) + 60)
    )
    if taken >= year.now or random.random() < 0.04:
        return case
    if random.random() < 0.05:  # refused at first sight
        case.enter(rows.FINISHED, taken, "FAIL", "F")
        return case
    case.enter(rows.MOVED, taken, "PREPARATION")
    done = _solve(year, case, taken, operator)
    if done and random.random() < 0.08:
        again = year.later(done, 2.5)
        if again < year.now:
            case.enter(rows.MOVED, again, "PREPARATION")
            done = _solve(year, case, again, operator)
    if done and random.random() < 0.55:
        good = 0.62 + 0.2 * operator.strength
        case.row[RATING] = random.choices(ratings, (good * 0.6, good * 0.4, max(0.03, 1 - good)))[0]
    return case


def _solve(year: Year, case: Case, at: datetime, operator: Person) -> datetime | None:
    """Work on a ticket until it is solved; the moment, None when that has not come yet."""
    if year.random.random() < 0.3:
        at = year.later(at, 0.4)
        if at >= year.now:
            return None
        case.enter(rows.MOVED, at, "CLIENT")
    done = year.later(at, 0.9 / operator.strength)
    if done >= year.now:
        return None
    case.enter(rows.FINISHED, done, "SUCCESS", "S")
    case.row["closedate"] = done.astimezone(year.zone).date()
    return done


def _project(portal: Portal, year: Year, at: datetime, category: int) -> Case:
    """An installation with its budgets: some have no plan yet, the actual sum comes with the end."""
    random = year.random
    case = _case(f"{DYNAMIC}{PROJECTS}", category, random.choice(SITES), at, random.choice((30, 31, 33)))
    deals = portal.records["deal"]
    case.row["parentId2"] = random.randint(1, len(deals)) if len(deals) and random.random() < 0.8 else None
    planned = Decimal(random.randint(80, 2_400) * 1_000)
    case.row[PLANNED] = None if random.random() < 0.08 else planned
    case.row[ACTUAL] = None
    case.enter(rows.CREATED, at, "NEW")
    for code in ("PREPARATION", "CLIENT"):
        at = year.later(at, 12)
        if at >= year.now:
            return case
        case.enter(rows.MOVED, at, code)
    at = year.later(at, 5)
    if at < year.now:
        is_done = random.random() < 0.93
        case.enter(rows.FINISHED, at, "SUCCESS" if is_done else "FAIL", "S" if is_done else "F")
        case.row["closedate"] = at.astimezone(year.zone).date()
        spent = planned * Decimal(str(round(random.lognormvariate(0.04, 0.18), 3)))
        case.row[ACTUAL] = spent.quantize(Decimal("0.01")) if is_done else None
    return case


def _invoices(portal: Portal, year: Year) -> list[Case]:
    """Invoices for some of the won deals; most are paid."""
    category = seed.add_invoices(portal)
    cases: list[Case] = []
    for deal in portal.records["deal"]:
        if deal["stageSemanticId"] != "S" or year.random.random() > 0.15:
            continue
        at = deal["movedTime"]
        case = _case("invoice", category, "Счёт", at, deal["assignedById"])
        for name in ("companyId", "contactId", "currencyId", "opportunity"):
            case.row[name] = deal[name]
        case.row |= {"parentId2": deal["id"], "isManualOpportunity": True, "taxValue": Decimal(0)}
        case.enter(rows.CREATED, at, "N")
        paid = year.later(at, 6)
        if paid < year.now:
            is_paid = year.random.random() < 0.95
            case.enter(rows.FINISHED, paid, "P" if is_paid else "D", "S" if is_paid else "F")
        cases.append(case)
    return cases


def _store(portal: Portal, cases: list[Case]) -> None:
    """Give out ids by time of creation, and number the histories by their moments."""
    entries: list[Row] = []
    for case in sorted(cases, key=lambda case: case.row["createdTime"]):
        number = portal.put(case.kind, case.row, quiet=True)
        if case.kind == "invoice":
            case.row["accountNumber"] = str(number)
        for kind, at, stage, semantic in case.stays:
            entry = rows.stay(
                crm_types.entity_type(case.kind), number, kind, at, stage, semantic, case.category
            )
            entries.append(entry)
    for entry in sorted(entries, key=lambda entry: entry["CREATED_TIME"]):
        portal.put("item_stage_history", entry, quiet=True)
