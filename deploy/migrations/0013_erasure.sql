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
