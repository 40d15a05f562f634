"""The tower: store, engine, actions, API and command line."""
