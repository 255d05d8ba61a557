-- Everything we add to a database that is not ours lives in the schema "sync". Applied to both databases.
-- State of a flow lives in the flow's target database; the heartbeat lives in the source.

CREATE SCHEMA sync;

-- The position of every consumed partition, advanced in the transaction that writes the data.
-- owner_epoch is the fencing token: whoever claimed the partition last is the only one who may write.
-- The counts are law 1: every record read has exactly one outcome, and what was read is what the log holds.
CREATE TABLE sync.ledger (
    flow            text        NOT NULL,
    topic           text        NOT NULL,
    "partition"     integer     NOT NULL,
    first_offset    bigint      NOT NULL,
    next_offset     bigint      NOT NULL,
    owner           text,
    owner_epoch     bigint      NOT NULL DEFAULT 0,
    owned_since     timestamptz,
    last_timestamp  bigint,
    last_key_hash   bigint,
    source_time     timestamptz,
    applied_at      timestamptz,
    records_read    bigint      NOT NULL DEFAULT 0,
    applied         bigint      NOT NULL DEFAULT 0,
    superseded      bigint      NOT NULL DEFAULT 0,
    filtered        bigint      NOT NULL DEFAULT 0,
    parked          bigint      NOT NULL DEFAULT 0,
    dead_lettered   bigint      NOT NULL DEFAULT 0,
    tombstones      bigint      NOT NULL DEFAULT 0,
    rewound         bigint      NOT NULL DEFAULT 0,
    skipped         bigint      NOT NULL DEFAULT 0,
    resynced        bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (flow, topic, "partition"),
    CONSTRAINT every_record_has_one_outcome
        CHECK (records_read = applied + superseded + filtered + parked + dead_lettered + tombstones),
    CONSTRAINT every_offset_was_read
        CHECK (next_offset = first_offset + records_read - rewound + skipped)
);
COMMENT ON COLUMN sync.ledger.last_timestamp IS 'Kafka timestamp of the last applied record, ms: tells a re-created topic';
COMMENT ON COLUMN sync.ledger.last_key_hash IS 'Hash of the key of the last applied record: tells a re-created topic';
COMMENT ON COLUMN sync.ledger.source_time IS 'Commit time in the source of the last applied record';
COMMENT ON COLUMN sync.ledger.rewound IS 'Offsets that operators sent back to be read again';
COMMENT ON COLUMN sync.ledger.skipped IS 'Offsets that the log had dropped before we read them, made good from the source';
COMMENT ON COLUMN sync.ledger.resynced IS 'The last flow_state.resync that this partition has carried out';

CREATE TABLE sync.flow_state (
    flow        text        PRIMARY KEY,
    state       text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'paused', 'stopped')),
    reason      text,
    changed_by  text,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    resync      bigint      NOT NULL DEFAULT 0
);
COMMENT ON COLUMN sync.flow_state.state IS 'paused: by an operator; stopped: by the product, with an alarm';
COMMENT ON COLUMN sync.flow_state.resync IS 'Raised by one to have every partition rebuilt from the source';

-- Records that could not be applied. The payload is encrypted with a key that the database does not hold.
CREATE TABLE sync.dead_letter (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow          text        NOT NULL,
    topic         text        NOT NULL,
    "partition"   integer     NOT NULL,
    "offset"      bigint      NOT NULL,
    reason        text        NOT NULL,
    detail        text        NOT NULL,
    row_key       text,
    record_time   timestamptz,
    record_key    bytea,
    record_value  bytea,
    headers       bytea,
    status        text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed', 'closed', 'discarded')),
    attempts      integer     NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    closed_at     timestamptz,
    closed_by     text,
    close_reason  text,
    UNIQUE (flow, topic, "partition", "offset")
);
CREATE INDEX dead_letter_open ON sync.dead_letter (flow, "partition") WHERE status IN ('open', 'replayed');
COMMENT ON COLUMN sync.dead_letter.status IS 'replayed: sent again, outcome not known yet; closed: a good version of the row was applied';
COMMENT ON COLUMN sync.dead_letter.detail IS 'What was wrong, where; never a value';

CREATE TABLE sync.worker (
    name        text        PRIMARY KEY,
    started_at  timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL,
    web_url     text,
    state       jsonb       NOT NULL
);

CREATE TABLE sync.audit (
    id      bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    actor   text        NOT NULL,
    action  text        NOT NULL,
    subject text        NOT NULL,
    reason  text
);

-- The connector's heartbeat writes here, so that an idle database still moves its replication slot on.
CREATE TABLE sync.heartbeat (
    id       integer     PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    beat_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO sync.heartbeat DEFAULT VALUES;

-- Which cluster each source was when we last looked. A restored or replaced source has other numbers, and its LSNs may be
-- lower than those we know: flows from it stop until an operator sets a new epoch.
CREATE TABLE sync.source (
    name               text    PRIMARY KEY,
    epoch              integer NOT NULL DEFAULT 1,
    system_identifier  bigint  NOT NULL,
    timeline           integer NOT NULL
);
