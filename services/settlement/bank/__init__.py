"""The bank's side beyond its entries: files as they come, the chain of statements, and what a bank
reports of payments (pain.002, pacs.004, camt.029, camt.056).
"""
