"""Stand-ins for the world outside: registration systems, banks, and the people they know."""
