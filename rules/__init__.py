"""The rulebook: text in, values and SQL out. Pure: nothing here reads a clock, a network or a database."""
