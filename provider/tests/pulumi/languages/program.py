"""Runs a Pulumi program in Python, as the language host of the CLI does: monitor, engine, whether it is a preview, file."""

import asyncio
import runpy
import sys

from pulumi.runtime import Settings, configure
from pulumi.runtime.stack import run_in_stack

monitor, engine, preview, program = sys.argv[1:]
configure(
    Settings(project="orders", stack="test", monitor=monitor, engine=engine, parallel=16, dry_run=preview == "true")
)


async def run():
    await run_in_stack(lambda: runpy.run_path(program, run_name="__main__"))


asyncio.new_event_loop().run_until_complete(run())
