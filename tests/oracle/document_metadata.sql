-- What document_metadata must hold but for gr_id, computed from public.documents and the rows that once were there.
-- Parameter: gone (json array), the last version of every row that ever existed; ids that are there again count as there.
-- The last column tells whether the row has a deleted_at. Shares nothing with the product.
SELECT id::text, citizen_id::text, document_type, file_name, file_size, verification_status, uploaded_at, false
FROM public.documents
UNION ALL
SELECT id::text, citizen_id::text, document_type, file_name, file_size, verification_status, uploaded_at, true
FROM json_populate_recordset(NULL::public.documents, %(gone)s::json) AS gone
WHERE NOT EXISTS (SELECT FROM public.documents AS there WHERE there.id = gone.id)
