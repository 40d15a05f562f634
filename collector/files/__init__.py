"""Batch files: watched folders and files sent by hand, each taken whole, once, into the journal of native messages."""
