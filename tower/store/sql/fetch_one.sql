-- Whether an address was asked for before. Parameter: fetch_id. One row or none.
SELECT fetch_id FROM fetches FINAL WHERE fetch_id = {fetch_id:String}
