"""The orchestrator: one transfer is one saga, and the saga is `saga.py`."""
