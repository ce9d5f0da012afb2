"""The command line: `osteon COMMAND`; also `python -m app COMMAND`."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app import __version__

# Commands with arguments of their own: the module with `main(arguments) -> exit status`, and the line of the help.
_MODULES: Final = {
    "explain": ("app.commands.explain", "what each recommendation says about a request, and why"),
    "check": ("app.commands.check", "check the guidelines, or an overlay, without starting anything"),
    "check-fhir": ("app.commands.check_fhir", "try a FHIR server before go-live"),
    "codes": ("app.commands.codes", "which codes of charts or lists are recognised"),
    "diff": ("app.commands.diff", "which patients get other advice under other knowledge"),
    "shadow": ("app.commands.shadow", "count what the service would have answered to recorded requests"),
    "screen": ("app.commands.screen", "the advice for every patient of an export, as a worklist"),
    "new-guideline": ("app.commands.new_guideline", "write the skeleton of a guideline of one's own"),
    "test": ("app.commands.run_cases", "run the clinical cases of an overlay"),
}
_EXAMPLES: Final = """\
examples:
  osteon demo --serve                          start the service and show the cards of a sample patient
  osteon explain request.json --only holds     the recommendations that hold, with the facts that decide
  osteon check --local /etc/osteon/local       an overlay, before the service is started with it
  osteon check-fhir https://fhir.example/r4    whether a FHIR server answers the queries of the service

`osteon COMMAND --help` explains a command. Exit status 2: something that was given cannot be used.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader (`| head`) has seen enough; what is still buffered must not be written either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _run(given: list[str]) -> int:
    if given and given[0] in _MODULES:
        # Imported when it is needed: a command pays for the parts that it uses, and `osteon --version` for none.
        status: int = importlib.import_module(_MODULES[given[0]][0]).main(given[1:])
        return status
    options = _parser().parse_args(given)
    command: str = options.command
    if command == "serve":
        from app.commands.serve import serve

        return serve(options.host, options.port, options.workers)
    if command == "demo":
        return _demo(options.host, options.port, start=options.serve)
    if command == "openapi":
        return _openapi(options.folder)
    print(__version__)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="osteon",
        description="Decision support for osteoporosis over CDS Hooks",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"osteon {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    address = argparse.ArgumentParser(add_help=False)
    address.add_argument("--host", default="127.0.0.1", help="address of the service (default: loopback)")
    address.add_argument("--port", type=int, default=8000)
    serve_command = commands.add_parser("serve", help="start the service", parents=[address])
    serve_command.add_argument("--workers", type=int, default=1, help="number of processes")
    demo = commands.add_parser(
        "demo", help="send the sample patient to a running service and print the cards", parents=[address]
    )
    demo.add_argument("--serve", action="store_true", help="start the service first, and leave it running")
    for name, (_, line) in _MODULES.items():
        commands.add_parser(name, help=line, add_help=False)
    openapi = commands.add_parser("openapi", help="write the OpenAPI document and the example answers")
    openapi.add_argument("--folder", type=Path, default=Path("openapi"))
    commands.add_parser("version", help="print the version")
    return parser


def _demo(host: str, port: int, *, start: bool) -> int:
    from app.commands import demo
    from app.commands.serve import EXIT_PORT_TAKEN, cannot_listen

    if not start:
        return demo.show(demo.address(host, port))
    # Checked here too: otherwise a service that is already there would be taken for the new one.
    if problem := cannot_listen(host, port):
        print(problem, file=sys.stderr)
        return EXIT_PORT_TAKEN
    return demo.serve_and_show(host, port)


def _openapi(folder: Path) -> int:
    """Write the published interface; the example answers first, because the document holds them."""
    from app.docgen import openapi as publish
    from app.main import create_app
    from app.pipeline import build_pipeline
    from app.settings import Settings

    settings = Settings.model_construct()  # the defaults: what is published does not depend on this environment
    pipeline = build_pipeline(settings)
    publish.write_examples(pipeline, folder / "examples")
    publish.write(create_app(pipeline=pipeline, settings=settings), folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
