-- What profile_summary must hold, computed from the warehouse alone: per family the newest of the profiles whose golden
-- record is there. Shares nothing with the product.
SELECT DISTINCT ON (record.family_id)
       record.family_id::text, profile.vulnerability_level, profile.under_coverage_indicator, 'CONFIDENTIAL', profile.cluster_id,
       profile.updated_at
FROM public.profile_360 AS profile
JOIN public.golden_records AS record ON record.gr_id = profile.gr_id
WHERE record.family_id IS NOT NULL
ORDER BY record.family_id, profile.updated_at DESC, profile.profile_id DESC
