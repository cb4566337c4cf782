from __future__ import annotations

import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, inspect, select, table

from b24app import migrations, partitions
from b24app.db import open_engine, upsert
from b24app.tables import metadata


def test_migrations_build_exactly_the_tables_that_the_code_knows(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url)
    assert migrations.missing(engine)
    migrations.upgrade(engine)
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []
    assert migrations.missing(engine) == []
    engine.dispose()


def test_tables_are_cut_by_portal_where_that_is_asked_for(empty_database_url: str) -> None:
    engine = open_engine(empty_database_url, table_parts=3)
    is_postgresql = engine.dialect.name == "postgresql"
    migrations.upgrade(engine)
    parts = {part for name in metadata.tables for part in partitions.names(name, 3)}
    found = set(inspect(engine).get_table_names())
    cut = {name for name in metadata.tables if name != "portals"} if is_postgresql else set()
    assert found & parts == {part for name in cut for part in partitions.names(name, 3)}
    with engine.begin() as conn:
        opts = {"include_name": lambda name, kind, _parents: kind != "table" or name not in parts}
        assert compare_metadata(MigrationContext.configure(conn, opts=opts), metadata) == []
        row = {"code": "RUB", "amount": "1", "amount_cnt": 1, "is_base": True}
        for number in range(1, 20):
            assert upsert(conn, metadata.tables["currencies"], [{"portal_id": number, **row}] * 2) == 2
        for name in cut & {"currencies"}:
            counts = [
                conn.execute(select(func.count()).select_from(table(part))).scalar_one()
                for part in partitions.names(name, 3)
            ]
            assert sum(counts) == 19
            assert min(counts) > 0
    engine.dispose()


def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    migrations.upgrade_at(empty_database_url)
    migrations.upgrade_at(empty_database_url)


def test_two_processes_may_migrate_at_once(empty_database_url: str) -> None:
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            migrations.upgrade_at(empty_database_url)
        except BaseException as error:  # told to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    engine = open_engine(empty_database_url)
    assert inspect(engine).has_table("portals")
    engine.dispose()


def test_the_number_of_a_removed_portal_is_not_given_out_again(database_url: str) -> None:
    engine = open_engine(database_url)
    portals = metadata.tables["portals"]
    row = {
        "member_id": "a" * 32,
        "domain": "p.example",
        "endpoint": "https://p.example/rest/",
        "auth_server": "https://oauth.bitrix.info",
        "state": "active",
        "installed_at": 0,
    }
    with engine.begin() as conn:
        first = conn.execute(portals.insert().values(row).returning(portals.c.portal_id)).scalar_one()
        conn.execute(portals.delete())
        second = conn.execute(portals.insert().values(row).returning(portals.c.portal_id)).scalar_one()
    engine.dispose()
    assert second > first


@pytest.mark.parametrize("key", ["portal_id"])
def test_every_table_begins_with_the_portal(key: str) -> None:
    for one in metadata.tables.values():
        assert next(iter(one.primary_key)).name == key
