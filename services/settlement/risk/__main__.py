"""`python -m services.settlement.risk`: a question as JSON in, its answers as JSON out."""

import json
import sys
from importlib.util import find_spec

if __name__ == "__main__":
    if find_spec("scipy") is None:
        sys.exit(3)
    from services.settlement.risk.answer import answers

    json.dump(answers(json.load(sys.stdin)), sys.stdout, ensure_ascii=False)
