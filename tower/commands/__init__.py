"""The commands of `tower`, one noun a file. They build concrete things, so only tower/cli.py imports them."""
