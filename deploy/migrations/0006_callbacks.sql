-- Rows that come by callbacks carry their version in them, a time. Two bodies may have the same: then the later record counts.

ALTER TABLE sync.row_version ADD COLUMN arrival bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN sync.row_version.lsn IS
    'position in the source''s log, 0 for rows of a snapshot, which fill what is absent and overwrite nothing;'
    ' of callbacks the time in the row, microseconds since 1970';
COMMENT ON COLUMN sync.row_version.arrival IS 'of callbacks the offset of the record, which decides between equal times; otherwise 0';
