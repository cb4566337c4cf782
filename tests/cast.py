"""A small company for tests: one manages, one is managed, one elsewhere must see nothing of them.

1 Company (Olga)
├── 10 Sales (Ivan)
│   └── 11 Inside sales (nobody heads it): Anna, Boris; Greta was dismissed
└── 20 Support (Sveta): Sveta, Anna too
"""

from __future__ import annotations

from b24app.org import Department, Employee, Org
from b24app.viewer import Viewer

OLGA, IVAN, ANNA, BORIS, SVETA, GRETA, GUEST = 1, 2, 3, 4, 5, 6, 90
COMPANY, SALES, INSIDE, SUPPORT = 1, 10, 11, 20

ORG = Org(
    users={
        user.id: user
        for user in (
            Employee(OLGA, "Olga Director", department_ids=(COMPANY,)),
            Employee(IVAN, "Ivan Head", department_ids=(SALES,)),
            Employee(ANNA, "Anna Seller", department_ids=(INSIDE, SUPPORT)),
            Employee(BORIS, "Boris Seller", department_ids=(INSIDE,)),
            Employee(SVETA, "Sveta Support", department_ids=(SUPPORT,)),
            Employee(GRETA, "Greta Gone", is_active=False, department_ids=(INSIDE,)),
            Employee(GUEST, "Guest Extranet", is_employee=False, department_ids=(INSIDE,)),
        )
    },
    departments={
        department.id: department
        for department in (
            Department(COMPANY, "Company", None, OLGA),
            Department(SALES, "Sales", COMPANY, IVAN),
            Department(INSIDE, "Inside sales", SALES),
            Department(SUPPORT, "Support", COMPANY, SVETA),
        )
    },
)


def viewer(user_id: int | None, *, is_admin: bool = False) -> Viewer:
    """A proven viewer of portal 1; None: a program with API credentials."""
    return Viewer(portal_id=1, member_id="a" * 32, user_id=user_id, is_admin=is_admin)
