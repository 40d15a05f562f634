"""The table of rows one can act on: a small component that speaks ids, never row numbers."""
