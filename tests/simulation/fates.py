"""What may become of a payment in a world, and how often."""

FATES = {
    "exact": 10,
    "short": 2,
    "over": 2,
    "in parts": 2,
    "twice": 1,
    "returned": 2,
    "never": 1,
    "by name": 2,
    "nobody": 1,
    "wrong reference": 1,
    "read twice": 1,
    "received first": 1,
    "taken back": 1,
}
