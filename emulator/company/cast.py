"""The people of the invented company, their departments, and how good they are at selling."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from emulator import rows
from emulator.company.year import Year
from emulator.world import Portal, Row

CALENDAR: Row = {
    "work_time_start": "9",
    "work_time_end": "18",
    "week_holidays": ["SA", "SU"],
    "week_start": "MO",
    "year_holidays": "1.01,2.01,3.01,4.01,5.01,6.01,7.01,8.01,23.02,8.03,1.05,9.05,12.06,4.11",
    "year_workdays": "",
}

COMPANY, SALES, KEY_CLIENTS, RETAIL, REGIONS, MARKETING = 1, 2, 3, 4, 5, 6
SUPPORT, FIRST_LINE, PROJECTS, INSTALLERS, DESIGN, OFFICE = 7, 8, 9, 10, 11, 12

DEPARTMENTS: tuple[tuple[int, str, int | None, int | None], ...] = (
    # id, name, parent, head
    (COMPANY, "Ладога Климат", None, 2),
    (SALES, "Отдел продаж", COMPANY, 3),
    (KEY_CLIENTS, "Группа ключевых клиентов", SALES, 4),
    (RETAIL, "Группа розничных продаж", SALES, 5),
    (REGIONS, "Региональные продажи", RETAIL, None),  # the department without a head
    (MARKETING, "Отдел маркетинга", COMPANY, 20),
    (SUPPORT, "Служба поддержки", COMPANY, 24),
    (FIRST_LINE, "Первая линия", SUPPORT, 25),
    (PROJECTS, "Проекты и монтаж", COMPANY, 30),
    (INSTALLERS, "Монтажные бригады", PROJECTS, 30),  # its head is no member of it
    (DESIGN, "Проектный отдел", PROJECTS, 31),
    (OFFICE, "Администрация", COMPANY, 2),
)


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    last_name: str
    gender: str
    position: str
    departments: tuple[int, ...]
    strength: float = 1.0  # of closing: 1 is average
    share: float = 0.0  # of new requests
    hired_days_ago: int = 1500
    left_days_ago: int | None = None
    zone: str = ""
    is_admin: bool = False
    user_type: str = "employee"

    def works_on(self, day: date, today: date) -> bool:
        ago = (today - day).days
        return ago <= self.hired_days_ago and (self.left_days_ago is None or ago > self.left_days_ago)


PEOPLE = (
    Person(1, "Илья", "Корсаков", "M", "Системный администратор", (OFFICE,), is_admin=True),
    Person(2, "Марина", "Вересаева", "F", "Генеральный директор", (COMPANY,), is_admin=True),
    Person(3, "Артём", "Лебединский", "M", "Коммерческий директор", (SALES,), 1.3, 0.3),
    Person(4, "Ольга", "Снегирёва", "F", "Руководитель группы", (KEY_CLIENTS,), 1.25, 0.6),
    Person(5, "Павел", "Дроздов", "M", "Руководитель группы", (RETAIL,), 1.1, 0.7),
    Person(6, "Анна", "Полянская", "F", "Ведущий менеджер", (KEY_CLIENTS,), 1.5, 1.2),
    Person(7, "Григорий", "Ветров", "M", "Менеджер по продажам", (KEY_CLIENTS,), 1.0, 1.0),
    Person(8, "Юлия", "Каменева", "F", "Менеджер по продажам", (KEY_CLIENTS, REGIONS), 1.15, 1.1),
    Person(9, "Тимур", "Садыков", "M", "Менеджер по продажам", (KEY_CLIENTS,), 0.8, 0.9),
    Person(10, "Елена", "Журавлёва", "F", "Старший менеджер", (RETAIL,), 1.35, 1.4),
    Person(11, "Никита", "Орлов", "M", "Менеджер по продажам", (RETAIL,), 1.05, 1.2),
    Person(12, "Дарья", "Тихомирова", "F", "Менеджер по продажам", (RETAIL,), 0.9, 1.2),
    Person(13, "Роман", "Белов", "M", "Менеджер по продажам", (RETAIL,), 0.75, 1.1, left_days_ago=96),
    Person(14, "Ксения", "Мальцева", "F", "Стажёр", (RETAIL,), 0.7, 0.7, hired_days_ago=52),
    Person(15, "Станислав", "Громов", "M", "Менеджер по продажам", (RETAIL,), 0.5, 0.9),
    Person(16, "Виктор", "Ершов", "M", "Региональный менеджер", (REGIONS,), 1.0, 1.0),
    Person(
        17, "Алина", "Сафина", "F", "Региональный менеджер", (REGIONS,), 1.2, 1.0, zone="Asia/Yekaterinburg"
    ),
    Person(
        18, "Олег", "Пахомов", "M", "Региональный менеджер", (REGIONS,), 0.85, 0.9, zone="Asia/Novosibirsk"
    ),
    Person(19, "Людмила", "Крылова", "F", "Региональный менеджер", (REGIONS,), 0.95, 0.9, left_days_ago=210),
    Person(20, "Софья", "Аверина", "F", "Руководитель маркетинга", (MARKETING,)),
    Person(21, "Максим", "Рудой", "M", "Интернет-маркетолог", (MARKETING,)),
    Person(22, "Вера", "Лунина", "F", "Контент-менеджер", (MARKETING,)),
    Person(23, "Кирилл", "Астахов", "M", "Аналитик", (MARKETING,), hired_days_ago=120),
    Person(24, "Наталья", "Зимина", "F", "Руководитель поддержки", (SUPPORT,)),
    Person(25, "Глеб", "Соловьёв", "M", "Старший смены", (FIRST_LINE,), 1.3),
    Person(26, "Ирина", "Фролова", "F", "Специалист поддержки", (FIRST_LINE,), 1.2),
    Person(27, "Денис", "Кравец", "M", "Специалист поддержки", (FIRST_LINE,), 0.8),
    Person(28, "Полина", "Жукова", "F", "Специалист поддержки", (FIRST_LINE,), 1.0),
    Person(29, "Азат", "Галимов", "M", "Специалист поддержки", (FIRST_LINE,), 0.9, hired_days_ago=180),
    Person(30, "Константин", "Верховский", "M", "Руководитель проектов", (PROJECTS,)),
    Person(31, "Светлана", "Одинцова", "F", "Главный инженер проекта", (DESIGN,), 1.2),
    Person(32, "Андрей", "Малинин", "M", "Инженер-проектировщик", (DESIGN,), 0.9),
    Person(33, "Евгений", "Сорокин", "M", "Бригадир", (INSTALLERS,), 1.1),
    Person(34, "Ярослав", "Тарасов", "M", "Монтажник", (INSTALLERS,), 0.9),
    Person(35, "Михаил", "Гуляев", "M", "Монтажник", (INSTALLERS, SUPPORT), 1.0),
    Person(36, "Семён", "Королёв", "M", "Монтажник", (INSTALLERS,), 0.7, left_days_ago=140),
    Person(37, "Галина", "Петренко", "F", "Главный бухгалтер", (OFFICE,)),
    Person(38, "Инна", "Воронцова", "F", "Менеджер по персоналу", (OFFICE,)),
    Person(39, "Борис", "Ланской", "M", "Юрист", (OFFICE,)),
    Person(40, "Ричард", "Хольм", "M", "Партнёр", (), user_type="extranet"),
    Person(41, "Помощник", "по заявкам", "", "Чат-бот", (), user_type="bot"),
    Person(42, "Лев", "Брагин", "M", "Консультант", ()),  # an employee whom nobody put into a department
)

SELLERS = tuple(person for person in PEOPLE if person.share)
OPERATORS = tuple(person for person in PEOPLE if FIRST_LINE in person.departments)
BUILDERS = tuple(person for person in PEOPLE if 31 <= person.id <= 36)
EXTRANET_ID, BOT_ID, UNKNOWN_ID = 40, 41, 977

MEN, WOMEN, SURNAMES = (
    tuple(line.split())
    for line in (
        "Алексей Антон Вадим Владислав Георгий Даниил Егор Захар Игорь Леонид Марк Матвей Пётр Руслан Фёдор",
        "Алла Валерия Варвара Виктория Диана Евгения Жанна Зоя Лариса Маргарита Надежда Нина Раиса Тамара",
        "Абросимов Балашов Виноградов Голубев Ефремов Жданов Зуев Исаков Калинин Ларионов Моисеев Назаров "
        "Осипов Панфилов Родионов Субботин Трофимов Устинов Филатов Харитонов Чернов Шубин Щербаков Юдин",
    )
)


def client_name(random: Random) -> tuple[str, str]:
    """An invented (first name, last name)."""
    surname = random.choice(SURNAMES)
    return (random.choice(MEN), surname) if random.random() < 0.55 else (random.choice(WOMEN), surname + "а")


def add_people(portal: Portal, year: Year) -> None:
    """Add departments and users."""
    for place, (department_id, name, parent, head) in enumerate(DEPARTMENTS, start=1):
        row: Row = {"ID": department_id, "NAME": name, "SORT": place * 100, "PARENT": parent, "UF_HEAD": head}
        portal.put("department", row, quiet=True)
    for person in PEOPLE:
        portal.put("user", _user(person, year), quiet=True)


def _user(person: Person, year: Year) -> Row:
    hired = year.today - timedelta(days=person.hired_days_ago)
    is_employee = person.user_type == "employee"
    last_seen = (
        year.now
        if person.left_days_ago is None
        else year.at(year.today - timedelta(days=person.left_days_ago), 18)
    )
    return rows.user(
        person.name,
        person.last_name,
        position=person.position,
        departments=person.departments,
        ID=person.id,
        ACTIVE=person.left_days_ago is None,
        PERSONAL_GENDER=person.gender,
        USER_TYPE=person.user_type,
        EMAIL=f"user{person.id}@ladoga-klimat.example" if is_employee else "",
        WORK_PHONE=f"+7 812 000-00-{person.id:02}" if is_employee else "",
        TIME_ZONE=person.zone,
        IS_ADMIN=person.is_admin,
        IS_ONLINE="Y" if person.left_days_ago is None and person.id % 3 else "N",
        LAST_LOGIN=last_seen - timedelta(minutes=person.id * 17),
        DATE_REGISTER=year.at(hired, 9),
        UF_EMPLOYMENT_DATE=hired if is_employee and person.id != 42 else None,
    )
