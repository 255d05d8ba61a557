-- Runs of the reconciliation, one row for each flow of a run. Used in the flow's target database.

CREATE TABLE sync.reconciliation (
    run         text        NOT NULL COLLATE "C",
    flow        text        NOT NULL,
    repairs     boolean     NOT NULL,
    key_from    text,
    key_to      text,
    state       text        NOT NULL CHECK (state IN ('running', 'done', 'undecided')),
    problem     text,
    started_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    progress    jsonb       NOT NULL,
    PRIMARY KEY (run, flow),
    CONSTRAINT undecided_ones_have_a_problem CHECK ((state = 'undecided') = (problem IS NOT NULL))
);
COMMENT ON COLUMN sync.reconciliation.run IS 'Begins with the time at which the run began, so that runs sort by time';
COMMENT ON COLUMN sync.reconciliation.repairs IS 'false: a dry run';
COMMENT ON COLUMN sync.reconciliation.progress IS 'Counts, listed rows and the cursor from which the run goes on; no value of any row but keys';
