"""The embedded stack: real PostgreSQL and Kafka as child processes, without containers."""
