"""The end of a day: what is closed, what every account stood at, what an accountant is shown."""
