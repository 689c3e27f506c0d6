"""What row-level security costs: one customer's photos, read as the owner and as the web program. Own PostgreSQL.

python -m bench.row_scope
"""

import statistics
import time
import uuid

import psycopg

from bench.scratch_postgres import ScratchPostgres

CUSTOMERS, EACH, READS = 20_000, 10, 200
_TABLE = """
CREATE TABLE studio_photo (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), subject uuid NOT NULL, score float NOT NULL);
CREATE TABLE studio_shoot (subject uuid); CREATE TABLE studio_headshot (subject uuid);
CREATE TABLE vault_storedobject (subject uuid);
"""


def _policies() -> list[str]:
    import django

    django.setup()
    from headshotly.frontdoor import database_roles

    return database_roles._scope("web", ("worker",))


def _read(database: psycopg.Connection, subjects: list[uuid.UUID], *, scoped: bool) -> float:
    took = []
    for subject in subjects:
        began = time.perf_counter()
        if scoped:
            database.execute("SELECT set_config('headshotly.subject', %s, false)", [str(subject)])
        rows = database.execute("SELECT id, score FROM studio_photo WHERE subject = %s", [subject]).fetchall()
        took.append(time.perf_counter() - began)
        assert len(rows) == EACH
    return statistics.median(took) * 1e6


def main() -> None:
    """Fill, read both ways, print the table."""
    statements = _policies()
    with ScratchPostgres() as cluster:
        url = cluster.create("bench")
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute(_TABLE)
            owner.execute(
                "INSERT INTO studio_photo (subject, score) SELECT md5(n::text)::uuid, 1 "
                "FROM generate_series(1, %s) n, generate_series(1, %s)", [CUSTOMERS, EACH],
            )  # fmt: skip
            owner.execute("CREATE INDEX ON studio_photo (subject)")
            owner.execute("CREATE ROLE web LOGIN; CREATE ROLE worker LOGIN; GRANT SELECT ON studio_photo TO web")
            for statement in statements:
                owner.execute(statement)
            owner.execute("VACUUM ANALYZE studio_photo")
            subjects = [
                row[0]
                for row in owner.execute("SELECT DISTINCT subject FROM studio_photo LIMIT %s", [READS]).fetchall()
            ]
            with psycopg.connect(cluster.url("bench", role="web"), autocommit=True) as web:
                for one, scoped in ((owner, False), (web, True)):
                    _read(one, subjects, scoped=scoped)
                plain = _read(owner, subjects, scoped=False)
                both = _read(web, subjects, scoped=True)
                web.execute("SELECT set_config('headshotly.subject', '*', false)")
                everybody = _read(web, subjects, scoped=False)
    print(f"{CUSTOMERS * EACH} photos of {CUSTOMERS} customers; median of {READS} reads of {EACH} rows")
    print(f"as the owner, no policy                        {plain:7.0f} µs   1.00")
    print(f"as web, policy in force (every row allowed)    {everybody:7.0f} µs   {everybody / plain:.2f}")
    print(f"as web, customer named and policy in force     {both:7.0f} µs   {both / plain:.2f}")


if __name__ == "__main__":
    main()
