-- smart_citizen as its owners made it: what the flows write. Run by the platform's administrator; repeatable.

-- The portal reads a family's hints at once, at most five rows: the primary key serves it.
CREATE TABLE IF NOT EXISTS eligibility_hints (
    family_id          uuid NOT NULL,
    scheme_code        varchar(50) NOT NULL,
    eligibility_status varchar(50) NOT NULL,
    eligibility_score  numeric(3, 2) NOT NULL,
    confidence         numeric(3, 2) NOT NULL,
    explanation        varchar(500) NOT NULL,
    rank               smallint NOT NULL CHECK (rank BETWEEN 1 AND 5),
    updated_at         timestamptz NOT NULL,
    PRIMARY KEY (family_id, scheme_code)
);
