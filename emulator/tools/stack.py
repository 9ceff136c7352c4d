#!/usr/bin/env python3
"""Takes a CloudFormation stack through the steps in FOLDER/steps.json, and back: how long each took, and how many resources were made, changed or deleted. The code is
uploaded in the step that needs it first. Prints what `cargo xtask bench --only deploy` reads: FIGURE|what|unit|value.

usage: stack.py FOLDER      (endpoint and credentials from the usual AWS_* variables; needs boto3)
"""
import json, os, pathlib, sys, time, urllib.request
import boto3
from botocore.config import Config

formation, s3 = boto3.client('cloudformation'), boto3.client('s3', config=Config(s3={'addressing_style': 'path'}))


def counted():
    with urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/_ministack/counts') as answer: calls = json.load(answer)['calls']
    return sum(entry['calls'] for name, entry in calls.items() if name.startswith('cloudformation AWS::'))


def settled(name):
    """The status in which a stack stays; None when it is gone."""
    while True:
        try: stack = formation.describe_stacks(StackName=name)['Stacks'][0]
        except formation.exceptions.ClientError as error:
            if 'does not exist' in str(error): return None
            raise
        if not stack['StackStatus'].endswith('IN_PROGRESS'): return stack['StackStatus']
        time.sleep(0.1)


def report(what, began, before, chain=None):
    print(f'FIGURE|{what}: resources made, changed or deleted|calls|{counted() - before}')
    if chain: print(f'FIGURE|{what}: longest chain of resources|calls|{chain}')
    print(f'FIGURE|{what}: wall time|ms|{round((time.monotonic() - began) * 1000)}', flush=True)


def apply(step, uploaded):
    began, before = time.monotonic(), counted()
    if step['object'] not in uploaded:
        s3.put_object(Bucket=step['bucket'], Key=step['object'], Body=pathlib.Path(step['code']).read_bytes())
        uploaded.add(step['object'])
    key = f'template-{time.time_ns()}.json'
    s3.put_object(Bucket=step['bucket'], Key=key, Body=json.dumps(step['template']).encode())
    url = f"{os.environ['AWS_ENDPOINT_URL']}/{step['bucket']}/{key}"
    asked = formation.create_stack if step['what'] == 'create' else formation.update_stack
    asked(StackName=step['stack'], TemplateURL=url, Capabilities=['CAPABILITY_NAMED_IAM'])
    status = settled(step['stack'])
    if status not in ('CREATE_COMPLETE', 'UPDATE_COMPLETE'):
        events = formation.describe_stack_events(StackName=step['stack'])['StackEvents']
        wrong = [f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in events if 'FAILED' in event['ResourceStatus']]
        raise SystemExit(f'{step["what"]}: {status}: {wrong}')
    report(step['what'], began, before, step['chain'])


if __name__ == '__main__':
    if len(sys.argv) != 2: raise SystemExit(__doc__)
    steps = json.loads((pathlib.Path(sys.argv[1]) / 'steps.json').read_text())
    name, bucket, uploaded = steps[0]['stack'], steps[0]['bucket'], set()
    s3.create_bucket(Bucket=bucket)
    for step in steps: apply(step, uploaded)
    began, before = time.monotonic(), counted()
    formation.delete_stack(StackName=name)
    status = settled(name)
    if status not in (None, 'DELETE_COMPLETE'): raise SystemExit(f'destroy: {status}')
    report('destroy', began, before)
