"""Settings of all tests."""

from hypothesis import HealthCheck, settings

# The machines are shared and noisy: an example's time says nothing about the code.
settings.register_profile("jiexu", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("jiexu")
