-- A log of every change to the tables that are watched, written by triggers in the transaction of the change: what oracles
-- need where a target depends on what once was. For one row its order is that of the commits. Belongs to the tests.
CREATE SCHEMA IF NOT EXISTS history;

CREATE TABLE IF NOT EXISTS history.change (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    operation  text NOT NULL,
    old        jsonb,
    new        jsonb,
    at         timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- With the rights of its owner: the product's role changes golden records, too.
CREATE OR REPLACE FUNCTION history.record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
    INSERT INTO history.change (table_name, operation, old, new)
    VALUES (TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME, TG_OP,
            CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - 'content' END,
            CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - 'content' END);
    RETURN NULL;
END
$$;
