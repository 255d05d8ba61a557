"""What stands in the target of a flow of rows, and the tuples that hold it: a tuple that was written anew is another one."""


def rows(flow, connection):
    """Key as text → every written column."""
    names = [name for name, _ in flow.written_columns]
    found = connection.execute(f"SELECT {', '.join(names)} FROM {flow.target.table.qualified}").fetchall()
    return {str(row[names.index(flow.key)]): dict(zip(names, row, strict=True)) for row in found}


def tuples(flow, connection):
    """Every tuple with its place and the transaction that wrote it."""
    statement = f"SELECT xmin::text, ctid::text, t::text FROM {flow.target.table.qualified} AS t ORDER BY 3"
    return connection.execute(statement).fetchall()
