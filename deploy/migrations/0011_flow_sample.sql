-- What the charts of the pages are drawn from: how each flow was doing, every 15 s. Used in the citizen database, where workers
-- report. The slot is part of the key: whichever worker comes first fills it, so that nobody has to be elected.
CREATE TABLE sync.flow_sample (
    flow         text              NOT NULL,
    at           timestamptz       NOT NULL,
    rate         double precision  NOT NULL,
    lag_seconds  double precision,
    lag_records  bigint,
    p50_ms       double precision,
    p99_ms       double precision,
    PRIMARY KEY (flow, at)
);
-- Rows come in the order of time, so a small index is enough to find the old ones.
CREATE INDEX flow_sample_at ON sync.flow_sample USING brin (at);
COMMENT ON COLUMN sync.flow_sample.lag_seconds IS 'Of the partition that is furthest behind, of those that a worker reads';
COMMENT ON COLUMN sync.flow_sample.p99_ms IS 'Commit in the source to visible in the target, on the slowest worker';

-- Pages list letters of a flow and lines of the audit in order, a page at a time.
CREATE INDEX dead_letter_flow ON sync.dead_letter (flow, id);
CREATE INDEX audit_at ON sync.audit (at, id);
