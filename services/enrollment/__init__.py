"""Enrollment: who is insured where, since when, and with what entitlement."""
