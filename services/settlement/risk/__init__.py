"""What a corridor will owe and pay: forecasts from its own history, with their uncertainty.

Floats are for statistics only: nothing here is ever booked. The arithmetic runs in a process of its
own (`python -m services.settlement.risk`), so that the service never holds its libraries.
"""
