"""What operators ask and change, over psycopg 3: short, synchronous, each change with its line in the audit."""
