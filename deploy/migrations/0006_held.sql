-- This number is held for another change.
SELECT 1;
