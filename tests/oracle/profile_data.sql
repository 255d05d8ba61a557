-- What profile_data must hold, computed from public.golden_records alone. Shares nothing with the product.
SELECT gr_id::text, family_id::text, CASE WHEN length(jan_aadhaar) < 8 THEN '****' ELSE '****-****-' || right(jan_aadhaar, 4) END,
       full_name, date_of_birth::text, coalesce(gender, 'UNKNOWN'), district_id, city_village, updated_at
FROM public.golden_records
