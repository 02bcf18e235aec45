"""Netting: what the regions of a province owe each other for a month, in one payment each."""
