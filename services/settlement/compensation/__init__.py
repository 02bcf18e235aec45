"""How the books go back: always by new entries, never by undoing old ones."""
