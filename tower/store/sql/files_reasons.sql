-- Why a file, or what in it, could not be used: (reason, detail), at most 20. Parameter: raw_id.
SELECT reason, detail
FROM quarantine FINAL
WHERE raw_id = {raw_id:String}
ORDER BY detail
LIMIT 20
