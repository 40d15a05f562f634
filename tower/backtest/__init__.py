"""What would another rulebook have said: both books run over stored history, and the verdicts gained and lost."""
