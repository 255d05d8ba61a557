-- The reconciliation as a batch job, its light mode, and what was lost between a source and its targets.

ALTER TABLE sync.job_run ADD COLUMN yields_to text;
COMMENT ON COLUMN sync.job_run.yields_to IS 'The job that waits for this run''s lane; heard at the next chunk';

ALTER TABLE sync.reconciliation ADD COLUMN light boolean NOT NULL DEFAULT false, ADD COLUMN horizon xid8;
COMMENT ON COLUMN sync.reconciliation.light IS 'Counts, and of the content the ranges whose source rows have changed since the run before';
COMMENT ON COLUMN sync.reconciliation.horizon IS
    'The oldest transaction of the source that was open when the run began: rows of earlier ones were seen by it; null: no source';
CREATE INDEX reconciliation_flow ON sync.reconciliation (flow, run DESC);

-- Changes of a source that cannot come by events any more: the replication slot, the topic or the source itself is not what it was.
-- Used in the flow's target database.
CREATE TABLE sync.upstream_loss (
    id           bigint       GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    flow         text         NOT NULL,
    kind         text         NOT NULL CHECK (kind IN ('slot', 'topic', 'records', 'source')),
    detail       text         NOT NULL,
    resync       bigint       NOT NULL,
    found_at     timestamptz  NOT NULL DEFAULT clock_timestamp(),
    found_by     text         NOT NULL,
    resolved_at  timestamptz,
    resolved_by  text,
    CONSTRAINT whoever_resolves_has_a_name CHECK ((resolved_at IS NULL) = (resolved_by IS NULL))
);
-- One alarm for what is found again and again.
CREATE UNIQUE INDEX upstream_loss_open ON sync.upstream_loss (flow, kind) WHERE resolved_at IS NULL;
COMMENT ON COLUMN sync.upstream_loss.kind IS
    'slot: the replication slot is gone or was invalidated; topic: it was made anew or ends before the ledger;'
    ' records: the log dropped them before they were read; source: it is another cluster, or was restored';
COMMENT ON COLUMN sync.upstream_loss.resync IS 'Of the flow when the loss was found: a later one that every partition has done makes it good';
COMMENT ON COLUMN sync.upstream_loss.resolved_at IS 'When the flow had been re-synchronised, or reconciled in full; null: an open alarm';

ALTER TABLE sync.source ADD COLUMN seen_lsn bigint, ADD COLUMN slot_seen boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN sync.source.seen_lsn IS 'How far the source''s log was flushed when a worker last looked; an epoch later it may be less';
COMMENT ON COLUMN sync.source.slot_seen IS 'Our replication slot was there once: that it is gone is a loss then';
