-- Erasures of what is held of a person that have not come to their end. Used in the citizen database. The ids by which the person
-- is known are kept only so long: by then what links them is gone, and what was killed half way must still find the rest.
CREATE TABLE sync.erasure (
    id        bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    begun_at  timestamptz  NOT NULL DEFAULT clock_timestamp(),
    begun_by  text         NOT NULL,
    reason    text         NOT NULL,
    person    jsonb        NOT NULL
);
COMMENT ON COLUMN sync.erasure.person IS 'Ids by kind, and the keys of the person''s source rows by flow; the line goes when nothing is left';

-- The worker's role may only add to the audit. Old lines go by this function, which is the administrator's and spares a year whatever
-- it is asked for.
CREATE FUNCTION sync.forget_audit(kept interval, batch integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    WITH gone AS (
        DELETE FROM sync.audit WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM sync.audit WHERE at < now() - greatest(kept, interval '365 days') ORDER BY at LIMIT batch))
        RETURNING 1)
    SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION sync.forget_audit FROM PUBLIC;

-- What is old is looked for by its end.
CREATE INDEX dead_letter_settled ON sync.dead_letter (closed_at) WHERE status IN ('closed', 'discarded');
