-- The audit says also in what role and from where somebody acted, and what was refused. The two settings are those of the
-- session, so that every line has them, whatever statement writes it; workers act for nobody and set none.

ALTER TABLE sync.audit
    ADD COLUMN role    text DEFAULT nullif(current_setting('sync.role', true), ''),
    ADD COLUMN origin  text DEFAULT nullif(current_setting('sync.origin', true), ''),
    ADD COLUMN result  text NOT NULL DEFAULT 'done' CHECK (result IN ('done', 'refused', 'failed')),
    ADD COLUMN problem text,
    ADD CONSTRAINT what_was_not_done_has_a_problem CHECK ((result = 'done') = (problem IS NULL));
COMMENT ON COLUMN sync.audit.role IS 'operator or admin: by the web view; shell: by a command; empty: the product itself';
COMMENT ON COLUMN sync.audit.origin IS 'The address of the browser, or the host of the command';
COMMENT ON COLUMN sync.audit.problem IS 'Why it was refused or failed; never a value of a row';
