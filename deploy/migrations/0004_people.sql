-- People: which golden record of the warehouse is whose in the portal. Used in the database that holds the golden records.

-- What we wrote last into a golden record, and as of which change each of its values is.
CREATE TABLE sync.golden_write (
    gr_id       uuid        PRIMARY KEY,
    updated_at  timestamptz NOT NULL,
    epoch       integer     NOT NULL,
    lsn         bigint      NOT NULL,
    columns     jsonb       NOT NULL
) WITH (fillfactor = 80);
COMMENT ON COLUMN sync.golden_write.updated_at IS 'As in the record: another time there means that somebody else has written it since';
COMMENT ON COLUMN sync.golden_write.columns IS 'Column to [epoch, lsn] of the change that its value is as of';

-- The golden record of a citizen. Written under the exclusive lock of links only (sinks/person_links.py).
CREATE TABLE sync.person_link (
    citizen_id  uuid  PRIMARY KEY,
    gr_id       uuid  NOT NULL
);

-- Rows that were written before their citizen had a golden record; they get it as soon as there is one.
CREATE TABLE sync.unlinked (
    citizen_id  uuid  NOT NULL,
    flow        text  NOT NULL,
    key         text  NOT NULL,
    PRIMARY KEY (citizen_id, flow, key)
);
COMMENT ON COLUMN sync.unlinked.key IS 'Value of the column by which the flow''s target rows are found again';

-- What a person should look at. Keys only: nothing of what citizens say of themselves stands here.
CREATE TABLE sync.review_queue (
    id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow         text        NOT NULL,
    kind         text        NOT NULL,
    citizen_id   uuid        NOT NULL,
    gr_id        uuid        NOT NULL,
    reason       text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    resolved_at  timestamptz
);
CREATE UNIQUE INDEX review_queue_open ON sync.review_queue (flow, kind, citizen_id, gr_id) WHERE resolved_at IS NULL;
