-- What our own notifier has told, so that a restart repeats nothing. Used in the citizen database.

-- The worker that notifies. Another one takes over when its lease has passed.
CREATE TABLE sync.notifier (
    id           integer      PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    owner        text         NOT NULL,
    lease_until  timestamptz  NOT NULL
);

-- Alerts that are so now, or whose end nobody has been told yet.
CREATE TABLE sync.alert (
    alert    text         NOT NULL,
    labels   jsonb        NOT NULL,
    since    timestamptz  NOT NULL,
    told_at  timestamptz,
    tellings integer      NOT NULL DEFAULT 0,
    PRIMARY KEY (alert, labels),
    CONSTRAINT told_ones_have_a_time CHECK ((told_at IS NULL) = (tellings = 0))
);
COMMENT ON COLUMN sync.alert.told_at IS 'When it was last told; null: not for long enough yet';
