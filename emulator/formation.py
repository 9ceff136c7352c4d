"""CloudFormation of the emulator makes, changes and deletes resources inside itself: no call of an API, and one resource after the other. Each counts as a call of
CloudFormation, and takes MS_FORMATION_DELAY seconds for the calls that AWS makes for it; without that variable nothing is counted. What an update leaves as it is takes none, as on AWS."""
import os, time

import counts
from gate import knob

DELAY = knob('MS_FORMATION_DELAY', 0)


def slow(kind, verb):
    counts.add('calls', f'cloudformation {kind} {verb}', calls=1, units=1)
    time.sleep(DELAY)


def install():
    if 'MS_FORMATION_DELAY' not in os.environ: return          # it takes a second to load
    import ministack.services.cloudformation.stacks as stacks
    provision, update, delete = stacks._provision_resource, stacks._update_resource, stacks._delete_resource

    def provision_slowly(kind, *a, **kw):
        slow(kind, 'create')
        return provision(kind, *a, **kw)

    def update_slowly(kind, physical_id, old, new, *a, **kw):
        if old != new: slow(kind, 'update')
        return update(kind, physical_id, old, new, *a, **kw)

    def delete_slowly(kind, *a, **kw):
        slow(kind, 'delete')
        return delete(kind, *a, **kw)

    stacks._provision_resource, stacks._update_resource, stacks._delete_resource = provision_slowly, update_slowly, delete_slowly
