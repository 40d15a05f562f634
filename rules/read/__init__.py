"""One file per part of a rulebook: from a Section to the values of rules.model. Names are looked up in rules.lint."""
