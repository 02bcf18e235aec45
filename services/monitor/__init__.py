"""The event log, the timeline of a transfer, and the command line."""
