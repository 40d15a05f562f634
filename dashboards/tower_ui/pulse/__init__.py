"""The line that says how old the data are. It counts by itself, so it also tells when this server has gone."""
