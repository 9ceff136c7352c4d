"""What the programs beside it check with."""

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

E = TypeVar("E", bound=Exception)

url = sys.argv[1] if len(sys.argv) > 1 else ""


def miss(what: str) -> NoReturn:
    sys.exit(f"MISS {what}")


def check(what: str, holds: bool) -> None:
    if not holds:
        miss(what)
    print(f"ok {what}", flush=True)


def equal(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        miss(f"{what}: {found!r}, not {wanted!r}")
    print(f"ok {what}", flush=True)


def raised(kind: type[E], call: Callable[[], object]) -> E:
    """The exception of this class that a call raises."""
    try:
        value = call()
    except kind as error:
        return error
    miss(f"{kind.__name__}: the call succeeded with {value!r}")
