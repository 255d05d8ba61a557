-- Events whose reference is not there yet wait here, and what they refer to is looked up here.

-- Codes of the portal's schemes by their ids there. A deleted scheme stays: events that refer to it may be on their way.
CREATE TABLE sync.scheme_map (
    scheme_id    uuid        PRIMARY KEY,
    scheme_code  varchar(50) NOT NULL,
    deleted_at   timestamptz
);

-- A record that waits for its reference, as it was read, encrypted with a key that the database does not hold. Rows of one key
-- are released in the order of id. An expired one has a dead letter; should its reference still arrive, it is applied all the same.
CREATE TABLE sync.parked (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow          text        NOT NULL,
    topic         text        NOT NULL,
    "partition"   integer     NOT NULL,
    "offset"      bigint      NOT NULL,
    row_key       text        NOT NULL COLLATE "C",
    reference     text        NOT NULL COLLATE "C",
    record_time   timestamptz,
    record_key    bytea,
    record_value  bytea,
    headers       bytea,
    parked_at     timestamptz NOT NULL DEFAULT now(),
    deadline      timestamptz NOT NULL,
    state         text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'expired')),
    letter        bigint      REFERENCES sync.dead_letter ON DELETE CASCADE,
    UNIQUE (flow, topic, "partition", "offset"),
    CONSTRAINT expired_ones_have_a_letter CHECK ((state = 'expired') = (letter IS NOT NULL))
);
CREATE INDEX parked_reference ON sync.parked (flow, "partition", reference);
CREATE INDEX parked_waiting ON sync.parked (flow, "partition", row_key, id) WHERE state = 'waiting';
CREATE INDEX parked_letter ON sync.parked (letter) WHERE letter IS NOT NULL;
COMMENT ON COLUMN sync.parked.row_key IS 'The primary key of the source row';
COMMENT ON COLUMN sync.parked.reference IS 'The key of the row that is waited for';

-- Facts that a rebuild wrote because the status of a row had none. Each gives way to the event itself, should that still come.
CREATE TABLE sync.backfilled_fact (
    flow       text        NOT NULL,
    row_key    text        NOT NULL COLLATE "C",
    state      text        NOT NULL COLLATE "C",
    fact_time  timestamptz NOT NULL,
    PRIMARY KEY (flow, row_key, state)
);
