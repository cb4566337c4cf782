"""Invented leads and deals with their stage histories, clients, currencies and pipelines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from emulator import rows
from emulator.company import cast
from emulator.company.cast import Person
from emulator.company.year import DAYS, Year
from emulator.world import Portal, Row

BLUE, TEAL, GREEN, YELLOW, ORANGE, WON, LOST = (
    "#39A8EF", "#2FC6F6", "#55D0E0", "#FFC34D", "#FFA900", "#7BD500", "#FF5752",
)  # fmt: skip


@dataclass(frozen=True)
class Pipeline:
    id: int
    name: str
    stages: tuple[rows.Stage, ...]
    share: float
    amount: float  # typical, roubles
    stage_days: float  # mean stay in a stage
    win: float  # chance of an average seller

    @property
    def steps(self) -> list[str]:
        return [rows.stage_id(self.id, code) for code, _, semantics, _ in self.stages if semantics is None]

    def final(self, code: str) -> str:
        return rows.stage_id(self.id, code)


PIPELINES = (
    Pipeline(
        0,
        "Продажа оборудования",
        (
            ("NEW", "Новая", None, BLUE),
            ("PREPARATION", "Выявление потребностей", None, TEAL),
            ("PREPAYMENT_INVOICE", "Коммерческое предложение", None, GREEN),
            ("EXECUTING", "Согласование договора", None, YELLOW),
            ("FINAL_INVOICE", "Счёт и предоплата", None, ORANGE),
            ("WON", "Сделка успешна", "S", WON),
            ("LOSE", "Сделка провалена", "F", LOST),
            ("APOLOGY", "Анализ причины провала", "F", LOST),
        ),
        0.58,
        240_000,
        6.5,
        0.44,
    ),
    Pipeline(
        1,
        "Монтаж и сервис",
        (
            ("NEW", "Заявка", None, BLUE),
            ("PREPARATION", "Замер", None, TEAL),
            ("UC_ESTIMATE", "Смета", None, YELLOW),
            ("EXECUTING", "Работы", None, ORANGE),
            ("WON", "Акт подписан", "S", WON),
            ("LOSE", "Отказ", "F", LOST),
        ),
        0.3,
        85_000,
        5.0,
        0.55,
    ),
    Pipeline(
        3,
        "Партнёры и тендеры",
        (
            ("NEW", "Запрос", None, BLUE),
            ("UC_BID", "Подготовка заявки", None, TEAL),
            ("UC_TENDER", "Торги", None, YELLOW),
            ("FINAL_INVOICE", "Контракт", None, ORANGE),
            ("WON", "Контракт исполнен", "S", WON),
            ("LOSE", "Проигран", "F", LOST),
        ),
        0.12,
        1_350_000,
        14.0,
        0.3,
    ),
)

LEAD_STAGES: tuple[rows.Stage, ...] = (
    ("NEW", "Не обработан", None, BLUE),
    ("IN_PROCESS", "В работе", None, TEAL),
    ("PROCESSED", "Квалифицирован", None, GREEN),
    ("CONVERTED", "Качественный лид", "S", WON),
    ("JUNK", "Некачественный лид", "F", LOST),
)

SOURCES = (
    # code, name, share of leads, chance of conversion against the average, utm sources
    ("WEB", "Веб-сайт", 0.3, 1.0, ("yandex", "google", None)),
    ("CALL", "Звонок", 0.2, 1.15, (None,)),
    ("ADVERTISING", "Реклама", 0.18, 0.75, ("yandex-direct", "vk-ads", "yandex-direct")),
    ("EMAIL", "Электронная почта", 0.1, 0.85, (None, "newsletter")),
    ("RECOMMENDATION", "По рекомендации", 0.08, 1.6, (None,)),
    ("PARTNER", "Существующий клиент", 0.06, 1.5, (None,)),
    ("WEBFORM", "CRM-форма", 0.05, 0.9, ("yandex", "vk-ads")),
    ("TRADE_SHOW", "Выставка", 0.03, 0.8, (None,)),
)

NEEDS = (
    "Вентиляция офиса", "Кондиционирование склада", "Чиллер", "Сплит-системы", "Приточная установка",
    "Сервис кондиционеров", "Фанкойлы", "Увлажнение воздуха", "Автоматика вентиляции", "Тепловые завесы",
    "VRF-система", "Реконструкция вентиляции", "Осушители для бассейна", "Дымоудаление",
)  # fmt: skip
FIRST_WORDS = (
    "Альтаир", "Балтика", "Вектор", "Гранит", "Дельта", "Заря", "Импульс", "Карелия", "Магистраль", "Невский",
    "Орион", "Парус", "Ритм", "Северянка", "Техно", "Улей", "Форпост", "Циркон", "Эталон", "Янтарь",
)  # fmt: skip
SECOND_WORDS = (
    "Строй",
    "Логистика",
    "Девелопмент",
    "Маркет",
    "Пром",
    "Сервис",
    "Клиник",
    "Отель",
    "Агро",
    "Фуд",
    "Групп",
)

LEADS_A_DAY = 9.0
DEALS_A_DAY = 3.6  # from clients who call again or come without a lead
BUYERS = 60
"""How many clients are buying at any time of the year; the others have bought before, or will later."""
FOREIGN = (("RUB", 0.9), ("USD", 0.04), ("EUR", 0.03), ("KZT", 0.025), ("GEL", 0.005))  # GEL has no rate
RUBLES = {"RUB": 1.0, "USD": 84.0, "EUR": 97.0, "KZT": 0.17, "GEL": 30.0}


@dataclass
class Client:
    key: str  # companyId or contactId
    row: Row
    contact: Row | None = None

    def links(self) -> Row:
        company = self.row["id"] if self.key == "companyId" else None
        contact = self.row["id"] if self.key == "contactId" else (self.contact or {}).get("id")
        return {"companyId": company, "contactId": contact, "contactIds": [contact] if contact else []}


@dataclass
class Story:
    """A deal or a lead with what happened to it, before ids are given out."""

    row: Row
    stays: list[tuple[int, datetime, str, str, int]] = field(default_factory=list)
    lead: Row | None = None

    def enter(self, kind: int, at: datetime, stage: str, semantic: str, category: int = 0) -> None:
        self.stays.append((kind, at, stage, semantic, category))
        moment = {"movedTime": at, "updatedTime": at, "lastActivityTime": at}
        self.row.update(stageId=stage, stageSemanticId=semantic, **moment)


def add_reference(portal: Portal) -> None:
    """Add currencies, pipelines, lead stages and sources."""
    currencies = (
        rows.currency("RUB", "1", base=True, name="Российский рубль"),
        rows.currency("USD", "84.15", name="Доллар США", sort=200),
        rows.currency("EUR", "97.4", name="Евро", sort=300),
        rows.currency("KZT", "16.72", count=100, name="Тенге", sort=400),
    )
    for row in currencies:
        portal.put("currency", row, quiet=True)
    for place, pipeline in enumerate(PIPELINES, start=1):
        rows.add_pipeline(portal, pipeline.id, pipeline.name, pipeline.stages, sort=place * 100)
    for place, (code, name, semantics, color) in enumerate(LEAD_STAGES, start=1):
        rows.add_status(portal, "STATUS", code, name, sort=place * 10, semantics=semantics, color=color)
    for place, (code, name, *_) in enumerate(SOURCES, start=1):
        rows.add_status(portal, "SOURCE", code, name, sort=place * 10)


def add_sales(portal: Portal, year: Year) -> None:
    """Add clients, leads and deals in the order in which they came into being."""
    clients = _add_clients(portal, year)
    leads: list[Story] = []
    deals: list[Story] = []
    for day in year.days():
        sellers = [person for person in cast.SELLERS if person.works_on(day, year.today)]
        for _ in range(year.how_many(LEADS_A_DAY * year.demand(day))):
            created = year.at(day, 24 * year.random.betavariate(3, 2.6))  # people write in the evening, too
            if created < year.now:
                leads.append(_lead(year, created, sellers, clients, deals))
        for _ in range(year.how_many(DEALS_A_DAY * year.demand(day))):
            created = year.at_work(day)
            if created < year.now:
                deals.append(_deal(year, created, _pick(year, sellers), _buyer(year, day, clients)))
    deals += _dirt(year)
    _store(portal, leads, deals)
    _mark_return_customers(portal)


def _add_clients(portal: Portal, year: Year) -> list[Client]:
    clients: list[Client] = []
    names = [f"{first}-{second}" for first in FIRST_WORDS for second in SECOND_WORDS]
    year.random.shuffle(names)
    for number, name in enumerate(names):
        created = year.at_work(year.first_day + timedelta(days=number))
        if created >= year.now:
            created = year.now - timedelta(days=1)
        owner = year.random.choice(cast.SELLERS).id
        first, last = cast.client_name(year.random)
        contact = rows.client(f"{first} {last}", created=created, owner=owner, name=first, lastName=last)
        portal.put("contact", contact, quiet=True)
        if number % 4 == 3:  # a private person
            clients.append(Client("contactId", contact))
            continue
        company = rows.client(
            f"ООО «{name}»", created=created, owner=owner, industry="OTHER", revenue=Decimal(0)
        )
        portal.put("company", company, quiet=True)
        clients.append(Client("companyId", company, contact))
    return clients


def _lead(
    year: Year, created: datetime, sellers: Sequence[Person], clients: list[Client], deals: list[Story]
) -> Story:
    """One request, and (added to `deals`) the deal it may turn into."""
    random = year.random
    code, _, _, luck, utms = random.choices(SOURCES, [source[2] for source in SOURCES])[0]
    person = _pick(year, sellers)
    utm = random.choice(utms)
    story = Story(
        rows.lead(
            random.choice(NEEDS),
            created=created,
            owner=person.id,
            sourceId=code if random.random() > 0.04 else None,
            utmSource=utm,
            utmMedium="cpc" if utm and utm != "newsletter" else None,
            utmCampaign=f"klimat-{random.randint(1, 6)}" if utm else None,
            hasEmail=random.random() < 0.6,
        )
    )
    story.enter(rows.CREATED, created, "NEW", "P")
    taken = year.later(created, 0.35 / person.strength)
    if taken >= year.now:
        return story
    story.enter(rows.MOVED, taken, "IN_PROCESS", "P")
    decided = year.later(taken, 2.2 / person.strength)
    chance = 0.36 * luck * (0.6 + 0.4 * person.strength)
    converts = random.random() < chance
    if decided >= year.now or random.random() < 0.03:  # some are forgotten
        return story
    if converts and random.random() < 0.5:
        story.enter(rows.MOVED, decided, "PROCESSED", "P")
        decided = year.later(decided, 1.0)
        if decided >= year.now:
            return story
    story.enter(rows.FINISHED, decided, *(("CONVERTED", "S") if converts else ("JUNK", "F")))
    story.row["dateClosed"] = decided
    if converts:
        client = _buyer(year, created.date(), clients)
        story.row.update(client.links())
        deal = _deal(year, decided, person, client)
        deal.lead = story.row
        utm_fields = ("sourceId", "utmSource", "utmMedium", "utmCampaign")
        deal.row.update({name: story.row[name] for name in utm_fields})
        deals.append(deal)
    return story


def _deal(year: Year, created: datetime, person: Person, client: Client) -> Story:
    random = year.random
    pipeline = random.choices(PIPELINES, [p.share for p in PIPELINES])[0]
    currency = random.choices([code for code, _ in FOREIGN], [share for _, share in FOREIGN])[0]
    amount = round(
        pipeline.amount * random.lognormvariate(0, 0.7) / RUBLES[currency], -2 if currency == "RUB" else 0
    )
    if random.random() < 0.02:
        amount = 0
    links = client.links()
    if random.random() < 0.04:  # nobody filled in the client
        links = {"companyId": None, "contactId": None, "contactIds": []}
    story = Story(
        rows.deal(
            f"{random.choice(NEEDS)}: {client.row['title']}",
            created=created,
            owner=person.id,
            stage=pipeline.steps[0],
            category=pipeline.id,
            amount=Decimal(int(amount)) + (Decimal("0.50") if random.random() < 0.1 else 0),
            currency_code=currency,
            closed_on=created.date() + timedelta(days=int(pipeline.stage_days * len(pipeline.steps))),
            sourceId="PARTNER" if random.random() < 0.5 else None,
            probability=random.choice((None, 25, 50, 75)),
            **links,
        )
    )
    story.enter(rows.CREATED, created, pipeline.steps[0], "P", pipeline.id)
    wins = random.random() < min(0.92, pipeline.win * (0.35 + 0.65 * person.strength))
    _advance(year, story, pipeline, person, 1, wins)
    return story


def _advance(year: Year, story: Story, pipeline: Pipeline, person: Person, step: int, wins: bool) -> None:
    """Move the deal from step to step until it is closed or the present is reached."""
    random = year.random
    steps = pipeline.steps
    last = len(steps) if wins else random.randint(step, len(steps))
    at = story.stays[-1][1]
    while True:
        at = year.later(at, pipeline.stage_days / (0.5 + 0.5 * person.strength))
        if at >= year.now or (not wins and random.random() < 0.05):  # a few lost deals hang open for ever
            return
        if step >= last:
            break
        if random.random() < 0.12 and step + 1 < last:  # a stage is skipped
            step += 1
        story.enter(rows.MOVED, at, steps[step], "P", pipeline.id)
        step += 1
    losing = "APOLOGY" if pipeline.id == 0 and random.random() < 0.3 else "LOSE"
    code, semantic = ("WON", "S") if wins else (losing, "F")
    story.enter(rows.FINISHED, at, pipeline.final(code), semantic, pipeline.id)
    story.row.update(closed=True, closedate=_hand_edited(year, at))
    if random.random() < 0.03:
        _reopen(year, story, pipeline, person)


def _hand_edited(year: Year, at: datetime) -> date:
    """The closing day of the card; people change it, so it need not be the moment of closing."""
    shift = year.random.choice((0,) * 9 + (-3, 5))
    return at.astimezone(year.zone).date() + timedelta(days=shift)


def _reopen(year: Year, story: Story, pipeline: Pipeline, person: Person) -> None:
    at = year.later(story.stays[-1][1], 4.0)
    if at >= year.now:
        return
    step = len(pipeline.steps) - 1
    story.enter(rows.MOVED, at, pipeline.steps[step], "P", pipeline.id)
    story.row["closed"] = False
    _advance(year, story, pipeline, person, step + 1, year.random.random() < 0.5)


def _buyer(year: Year, day: date, clients: list[Client]) -> Client:
    """One of those who buy at that time of the year: some come for the first time, others come again."""
    passed = (day - year.first_day).days / DAYS
    others = int(passed * (len(clients) - BUYERS))
    return clients[others + year.random.choice(range(len(clients))) * BUYERS // len(clients)]


def _pick(year: Year, sellers: Sequence[Person]) -> Person:
    return year.random.choices(sellers, [person.share for person in sellers])[0]


def _dirt(year: Year) -> list[Story]:
    """Deals of nobody known, of a partner, recurring templates, and one that changed its pipeline."""
    first = PIPELINES[0]
    stories: list[Story] = []
    for number, owner in enumerate((cast.EXTRANET_ID, cast.UNKNOWN_ID, cast.EXTRANET_ID)):
        created = year.at_work(year.today - timedelta(days=40 + 30 * number))
        story = Story(
            rows.deal(
                "Партнёрская поставка", created=created, owner=owner, stage="NEW", amount=Decimal(150_000)
            )
        )
        story.enter(rows.CREATED, created, "NEW", "P")
        won = year.working(created + timedelta(days=12))
        story.enter(rows.FINISHED, won, first.final("WON"), "S")
        story.row.update(closed=True, closedate=won.date())
        stories.append(story)
    for number in range(2):
        created = year.at_work(year.today - timedelta(days=200 - number))
        story = Story(
            rows.deal(
                "Ежемесячное обслуживание (шаблон)",
                created=created,
                owner=5,
                stage="NEW",
                amount=Decimal(30_000),
                isRecurring=True,
            )
        )
        story.enter(rows.CREATED, created, "NEW", "P")
        stories.append(story)
    created = year.at_work(year.today - timedelta(days=60))
    story = Story(
        rows.deal("Монтаж вместо поставки", created=created, owner=10, stage="NEW", amount=Decimal(410_000))
    )
    story.enter(rows.CREATED, created, "NEW", "P")
    story.enter(rows.OTHER_PIPELINE, year.working(created + timedelta(days=9)), "C1:NEW", "P", 1)
    story.enter(rows.MOVED, year.working(created + timedelta(days=20)), "C1:PREPARATION", "P", 1)
    story.row["categoryId"] = 1
    stories.append(story)
    return stories


def _store(portal: Portal, leads: list[Story], deals: list[Story]) -> None:
    """Give out ids by time of creation, and number the histories by their moments."""
    for kind, stories in (("lead", leads), ("deal", deals)):
        for story in sorted(stories, key=lambda story: story.row["createdTime"]):
            if story.lead is not None:
                story.row["leadId"] = story.lead["id"]
            portal.put(kind, story.row, quiet=True)
    entries = [
        rows.stay(entity, story.row["id"], kind, at, stage, semantic, category)
        for entity, stories in ((rows.LEAD, leads), (rows.DEAL, deals))
        for story in stories
        for kind, at, stage, semantic, category in story.stays
    ]
    for entry in sorted(entries, key=lambda entry: entry["CREATED_TIME"]):
        portal.put("stage_history", entry, quiet=True)


def _mark_return_customers(portal: Portal) -> None:
    """As the portal does: all deals of a client with a won deal, but for the won one with the lowest id."""
    first: dict[tuple[str, int], int] = {}
    for deal in portal.records["deal"]:
        client = _client_of(deal)
        if client and deal["stageSemanticId"] == "S":
            first.setdefault(client, deal["id"])
    for deal in portal.records["deal"]:
        client = _client_of(deal)
        deal["isReturnCustomer"] = client in first and first[client] != deal["id"] if client else False


def _client_of(deal: Row) -> tuple[str, int] | None:
    if deal["companyId"]:
        return "company", deal["companyId"]
    return ("contact", deal["contactId"]) if deal["contactId"] else None
