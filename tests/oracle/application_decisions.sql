-- What application_decisions must hold, computed from decision.applications alone. Shares nothing with the product.
SELECT application_id::text, family_id::text, decision, status, risk_score::text, confidence::text, reasons::text, decision_timestamp
FROM decision.applications
