-- Profiles: which row of a family is the newest. Used in the database that holds the summaries.

-- Every profile that is known, with what it would be as the summary of its family.
CREATE TABLE sync.profile_member (
    profile_id  bigint       PRIMARY KEY,
    gr_id       uuid         NOT NULL,
    family_id   uuid,
    updated_at  timestamptz  NOT NULL,
    content     jsonb        NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX profile_member_gr ON sync.profile_member (gr_id);
CREATE INDEX profile_member_family ON sync.profile_member (family_id, updated_at, profile_id) WHERE family_id IS NOT NULL;
COMMENT ON COLUMN sync.profile_member.family_id IS 'Of the golden record, as it was looked up; null: it has none, or is gone';
COMMENT ON COLUMN sync.profile_member.content IS 'Target columns by name';

-- One row per family that ever had a summary: the lock under which its summary is computed.
CREATE TABLE sync.family (
    family_id  uuid  PRIMARY KEY
);

-- Golden records that have changed in a way that their profiles have to follow; one that is gone is waited for here.
CREATE TABLE sync.profile_moved (
    gr_id    uuid     PRIMARY KEY,
    changes  integer  NOT NULL DEFAULT 1
);
