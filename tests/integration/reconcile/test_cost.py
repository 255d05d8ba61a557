"""Equal rows cost a handful of statements, a difference some more, whatever the number of rows."""

import pytest

from flows.document_metadata import DOCUMENT_METADATA as FLOW

ROWS = 20_000
DOCUMENTS = """
    INSERT INTO public.documents (id, citizen_id, document_type, file_name, file_size, verification_status, uploaded_at)
    SELECT md5('d' || n)::uuid, (SELECT min(id::text)::uuid FROM public.citizens), 'T' || n %% 7, 'f' || n, n, 'NEW',
           timestamptz '2026-01-01' + n * interval '1.7 seconds'
    FROM generate_series(1, %s) AS n
    """
METADATA = """
    INSERT INTO public.document_metadata
        (document_id, citizen_id, document_type, file_name, file_size, verification_status, uploaded_at)
    SELECT md5('d' || n)::uuid, %s, 'T' || n %% 7, 'f' || n, n, 'NEW', timestamptz '2026-01-01' + n * interval '1.7 seconds'
    FROM generate_series(1, %s) AS n
    """


@pytest.fixture
def filled(databases, worker):
    citizen, warehouse = databases["citizen"], databases["warehouse"]
    for table, connection in (("public.documents", citizen), (FLOW.target.table.qualified, warehouse)):
        connection.execute(f"DELETE FROM {table}")
    citizen.execute(DOCUMENTS, (ROWS,))
    (owner,) = citizen.execute("SELECT min(id::text)::uuid FROM public.citizens").fetchone()
    warehouse.execute(METADATA, (owner, ROWS))
    return databases


async def test_an_untouched_table_costs_two_statements_on_each_side(filled, reconcile):
    found = await reconcile(FLOW)
    assert (found.expected, found.standing, found.differing) == (ROWS, ROWS, 0)
    assert found.statements == 4


async def test_one_difference_costs_its_way_down_and_no_more(filled, reconcile):
    filled["warehouse"].execute("UPDATE public.document_metadata SET file_size = 0 WHERE file_name = 'f777'")
    found = await reconcile(FLOW)
    assert (found.different, found.columns) == (1, {"file_size": 1})
    # Cuts once, hashes of the parts and rows of one part on both sides.
    assert found.statements == 4 + 1 + 2 + 2


async def test_a_table_without_any_row_on_one_side_is_looked_at_in_bounded_parts(filled, reconcile):
    filled["citizen"].execute("DELETE FROM public.documents")
    found = await reconcile(FLOW)
    assert (found.extra, found.expected, found.standing) == (ROWS, 0, ROWS)
    assert len(found.rows) < ROWS / 10
