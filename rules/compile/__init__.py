"""Rulebook to SQL: a readable list of steps, each a SELECT that fills one temporary table from the ones before.

The live tick, a look back in time, an example and "why?" run the same text; they differ only in the rows of
`scope` (which orders), the bound instants `as_of` and `known_at`, and in what is done with the last tables.
"""

from rules.compile.compiled import Compiled, Step, compile_book

__all__ = ["Compiled", "Step", "compile_book"]
