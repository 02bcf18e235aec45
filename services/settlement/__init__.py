"""The books: personal accounts, advances, receipts, and what the regions owe each other.

Across provinces every transfer is remitted by itself; inside a province whose policy says so, what
the regions owe each other is netted month by month (`netting/`).
"""
