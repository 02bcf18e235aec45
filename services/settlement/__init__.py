"""The books: personal accounts, advances, receipts, and what the regions owe each other.

Netting between regions (monthly net sheets) is not part of the service yet: every corridor
settles by remittance, transfer by transfer.
"""
