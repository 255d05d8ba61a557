-- Batch jobs. A job's rows are in the target database of its flow.

-- One line for every slot of every job, whatever became of it. token is the fencing token: it is raised by whoever takes the run,
-- and compared in the transaction of every chunk.
CREATE TABLE sync.job_run (
    run_id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job             text        NOT NULL,
    scheduled_for   timestamptz NOT NULL,
    lane            text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('scheduled', 'deferred', 'running', 'paused', 'succeeded', 'failed',
                                                          'cancelled', 'coalesced', 'superseded')),
    due_at          timestamptz NOT NULL,
    reason          text,
    requested_by    text,
    forced          boolean     NOT NULL DEFAULT false,
    parameters      jsonb       NOT NULL DEFAULT '{}',
    cancelled       boolean     NOT NULL DEFAULT false,
    token           bigint      NOT NULL DEFAULT 0,
    owner           text,
    lease_until     timestamptz,
    attempts        integer     NOT NULL DEFAULT 0,
    retry_at        timestamptz,
    cursor          jsonb,
    chunks          bigint      NOT NULL DEFAULT 0,
    rows_read       bigint      NOT NULL DEFAULT 0,
    rows_written    bigint      NOT NULL DEFAULT 0,
    rows_unchanged  bigint      NOT NULL DEFAULT 0,
    rows_skipped    bigint      NOT NULL DEFAULT 0,
    rows_failed     bigint      NOT NULL DEFAULT 0,
    rows_missed     bigint      NOT NULL DEFAULT 0,
    rows_expected   bigint,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at      timestamptz,
    progressed_at   timestamptz,
    ended_at        timestamptz,
    UNIQUE (job, scheduled_for),
    CONSTRAINT every_row_read_has_one_outcome CHECK (rows_read = rows_written + rows_unchanged + rows_skipped + rows_failed),
    CONSTRAINT who_runs_has_a_lease CHECK ((state = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL))
);
-- One job per lane at a time, whoever believes what.
CREATE UNIQUE INDEX job_run_lane ON sync.job_run (lane) WHERE state = 'running';
CREATE INDEX job_run_open ON sync.job_run (job) WHERE state IN ('scheduled', 'deferred', 'running', 'paused');
COMMENT ON COLUMN sync.job_run.due_at IS 'Not before: the slot, or the first moment outside maintenance and peak hours';
COMMENT ON COLUMN sync.job_run.requested_by IS 'The operator; null: the calendar';
COMMENT ON COLUMN sync.job_run.forced IS 'Starts in maintenance or peak hours that were known when it was asked for';
COMMENT ON COLUMN sync.job_run.cancelled IS 'An operator wants it to end; heard at the next chunk';
COMMENT ON COLUMN sync.job_run.attempts IS 'Takes since the last chunk that was committed';
COMMENT ON COLUMN sync.job_run.cursor IS 'Where the next chunk begins, as the job understands it';
COMMENT ON COLUMN sync.job_run.rows_skipped IS 'Changed behind the fence: left to their events or to the next run';
COMMENT ON COLUMN sync.job_run.rows_failed IS 'Rows that break the definition; what stood for them stands';
COMMENT ON COLUMN sync.job_run.rows_missed IS 'Of those written: rows whose events had not come although they were due';

-- Jobs that operators have paused; '*' stands for all.
CREATE TABLE sync.job_control (
    job         text        PRIMARY KEY,
    paused      boolean     NOT NULL DEFAULT false,
    reason      text,
    changed_by  text,
    changed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    since       timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON COLUMN sync.job_control.since IS 'When the job was first seen here: earlier slots do not exist';

-- Maintenance on demand, beside that of the calendar.
CREATE TABLE sync.maintenance (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL,
    reason      text        NOT NULL,
    asked_by    text        NOT NULL,
    CHECK (starts_at <= ends_at)
);
CREATE INDEX maintenance_ends ON sync.maintenance (ends_at);

-- Rows that a run has put right although their events had been due: the measure of the event path.
CREATE TABLE sync.job_missed (
    run_id  bigint  NOT NULL REFERENCES sync.job_run ON DELETE CASCADE,
    key     text    NOT NULL COLLATE "C",
    what    text    NOT NULL CHECK (what IN ('written', 'removed')),
    PRIMARY KEY (run_id, key)
);
COMMENT ON COLUMN sync.job_missed.key IS 'The primary key of the source row; the first few thousand of a run';

-- Up to when the rows of its source have been taken by a job.
CREATE TABLE sync.watermark (
    job    text         PRIMARY KEY,
    taken  timestamptz  NOT NULL
);
COMMENT ON COLUMN sync.watermark.taken IS 'By the clock of the source: what had been committed by then was seen by a run that ended well';

-- Rows that were written before what they refer to was known; it is filled in when it is.
CREATE TABLE sync.unresolved (
    flow       text  NOT NULL,
    key        text  NOT NULL COLLATE "C",
    reference  text  NOT NULL COLLATE "C",
    PRIMARY KEY (flow, key)
);
