"""The command line: `osteon serve | check | check-fhir | explain | openapi | demo | version`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from app import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _DELEGATED:
        return _DELEGATED[given[0]](given[1:])
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


def _check(arguments: Sequence[str]) -> int:
    # Imported here: a command pays for the parts that it needs, and `osteon version` for none.
    from app.commands import check

    return check.main(arguments)


def _codes(arguments: Sequence[str]) -> int:
    from app.commands import codes

    return codes.main(arguments)


def _check_fhir(arguments: Sequence[str]) -> int:
    from app.commands import check_fhir

    return check_fhir.main(arguments)


def _explain(arguments: Sequence[str]) -> int:
    from app.commands import explain

    return explain.main(arguments)


def _diff(arguments: Sequence[str]) -> int:
    from app.commands import diff

    return diff.main(arguments)


def _new_guideline(arguments: Sequence[str]) -> int:
    from app.commands import new_guideline

    return new_guideline.main(arguments)


def _test(arguments: Sequence[str]) -> int:
    from app.commands import run_cases

    return run_cases.main(arguments)


# Commands with arguments of their own.
_DELEGATED = {
    "codes": _codes,
    "check": _check,
    "check-fhir": _check_fhir,
    "explain": _explain,
    "diff": _diff,
    "new-guideline": _new_guideline,
    "test": _test,
}


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="osteon", description="Decision support for osteoporosis over CDS Hooks")
    commands = parser.add_subparsers(dest="command", required=True)
    address = argparse.ArgumentParser(add_help=False)
    address.add_argument("--host", default="127.0.0.1", help="address of the service (default: loopback)")
    address.add_argument("--port", type=int, default=8000)
    serve_command = commands.add_parser("serve", help="start the service", parents=[address])
    serve_command.add_argument("--workers", type=int, default=1, help="number of processes")
    commands.add_parser("check", help="check the guidelines without starting anything", add_help=False)
    commands.add_parser("check-fhir", help="try a FHIR server before go-live", add_help=False)
    commands.add_parser("explain", help="what each recommendation says about a request, and why", add_help=False)
    commands.add_parser("codes", help="which codes of charts or lists are recognised", add_help=False)
    commands.add_parser("diff", help="which patients get other advice under another overlay", add_help=False)
    commands.add_parser("new-guideline", help="write the skeleton of a guideline of one's own", add_help=False)
    commands.add_parser("test", help="run the clinical cases of an overlay", add_help=False)
    demo = commands.add_parser(
        "demo", help="send the sample patient to a running service and print the cards", parents=[address]
    )
    demo.add_argument("--serve", action="store_true", help="start the service first, and leave it running")
    openapi = commands.add_parser("openapi", help="write the OpenAPI document and the example answers")
    openapi.add_argument("--folder", type=Path, default=Path("openapi"))
    commands.add_parser("version", help="print the version")
    return parser


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
