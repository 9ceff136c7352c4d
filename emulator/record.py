"""Notes what is asked of the emulated AWS, one JSON document a line, in the file that MS_RECORD names; without it, nothing.

  {"model": "lambda", "operation": "CreateFunction", "wrong": []}        each different answer of `models.py` once
  {"principal": "arn:...", "action": "lambda:CreateFunction", "resource": "arn:...", "decision": "Allow"}    each different decision of IAM once
"""
import contextvars, json, os, threading

import ministack.core.iam_evaluator as evaluator
import models, roles

PATH = os.environ.get('MS_RECORD')
SIGNED = ('apigateway', 'dynamodb', 'events', 'iam', 'lambda', 'logs', 's3', 'scheduler', 'sqs', 'sts')
known, lock = set(), threading.Lock()


def note(**facts):
    line = json.dumps(facts, sort_keys=True)
    with lock:
        if line in known: return
        known.add(line)
        with open(PATH, 'a') as file: file.write(line + '\n')


principal = contextvars.ContextVar('principal', default='')


def naming(decide):
    def evaluate(ctx, *policies):
        principal.set(ctx.principal_arn)
        return decide(ctx, *policies)
    return evaluate


def noting(decide):
    def enforce(access_key, action, service, region, resource_arn='*', service_context=None):
        principal.set('')
        denied = decide(access_key, action, service, region, resource_arn=resource_arn, service_context=service_context)
        # The account's root, and calls that AWS never refuses, meet no policy.
        if principal.get(): note(principal=principal.get(), action=action, resource=resource_arn, decision='Deny' if denied else 'Allow')
        return denied
    return enforce


def checked(service, handler):
    async def handle(method, path, headers, body, query):
        # What SDKs sign is a call of an API; the rest is the data plane of HTTP APIs, or the console of the emulator.
        signed = any(k.lower() == 'authorization' and 'AWS4-HMAC' in v for k, v in headers.items())
        if signed and not path.startswith('/_'):
            name, operation, wrong = models.check(service, method, path, headers, body, query)
            note(model=name, operation=operation, wrong=wrong[:5])
        return await handler(method, path, headers, body, query)
    return handle


def install():
    if not PATH: return
    from ministack import app
    evaluator.evaluate = naming(evaluator.evaluate)
    evaluator.enforce = roles.enforce = noting(evaluator.enforce)
    for service in SIGNED: app.SERVICE_HANDLERS[service] = checked(service, app.SERVICE_HANDLERS[service])
