-- What eligibility_hints must hold, computed from the source table alone. Shares nothing with the product.
-- Parameter: as_of (timestamptz).
WITH newest AS (
    SELECT DISTINCT ON (family_id, scheme_code, member_id) *
    FROM eligibility.eligibility_snapshots
    ORDER BY family_id, scheme_code, member_id, evaluation_timestamp DESC, snapshot_id DESC
),
counting AS (
    SELECT *, coalesce(eligibility_score, 0) AS score
    FROM newest
    WHERE evaluation_status IN ('RULE_ELIGIBLE', 'POSSIBLE_ELIGIBLE')
      AND evaluation_timestamp >= %(as_of)s::timestamptz - interval '30 days'
),
best AS (
    SELECT DISTINCT ON (family_id, scheme_code) *
    FROM counting
    ORDER BY family_id, scheme_code, score DESC, evaluation_timestamp DESC, snapshot_id DESC
),
placed AS (
    SELECT *, row_number() OVER (PARTITION BY family_id
                                 ORDER BY score DESC, evaluation_timestamp DESC, scheme_code COLLATE "C") AS place
    FROM best
)
SELECT family_id::text, scheme_code, evaluation_status, round(score, 2)::text, round(coalesce(confidence_score, 0), 2)::text,
       left(coalesce(explanation, 'No explanation available'), 500), place::int, updated_at
FROM placed
WHERE place <= 5
ORDER BY family_id, scheme_code COLLATE "C"
