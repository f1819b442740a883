"""The `tuneport` command."""
