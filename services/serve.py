"""`python -m services.serve NAME`: runs one process of a service."""

import argparse
import importlib

import uvloop

from shared.settings import Settings


def main() -> None:
    """Runs the service named on the command line until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("--worker", type=int, default=None)
    asked = parser.parse_args()
    from shared.chassis import Process  # noqa: PLC0415 - late, so that --help is quick

    settings = Settings() if asked.worker is None else Settings(worker=asked.worker)
    app = importlib.import_module(f"services.{asked.name}.app")
    uvloop.run(Process(asked.name, settings).run(app.build))


if __name__ == "__main__":
    main()
