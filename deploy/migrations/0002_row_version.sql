-- The newest version of every row of the mirror flows, live or deleted: LSN and epoch of the source.
-- Kept beside the target's data because no column is added to tables that are not ours.

CREATE TABLE sync.row_version (
    flow     text    NOT NULL,
    key      text    NOT NULL COLLATE "C",
    epoch    integer NOT NULL,
    lsn      bigint  NOT NULL,
    deleted  boolean NOT NULL,
    PRIMARY KEY (flow, key)
) WITH (fillfactor = 80);
COMMENT ON COLUMN sync.row_version.lsn IS '0 for rows of a snapshot, which fill what is absent and overwrite nothing';

-- Where a partition was last rebuilt from the source: a TRUNCATE from before has been made good.
ALTER TABLE sync.ledger
    ADD COLUMN rebuilt_epoch integer NOT NULL DEFAULT 0,
    ADD COLUMN rebuilt_lsn   bigint  NOT NULL DEFAULT 0;
