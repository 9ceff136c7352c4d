#!/usr/bin/env python3
"""What xtask asks of the emulated cloud, one question a run, the answer as JSON on standard output.

usage: ask.py QUESTION [ARGUMENT ...]      (endpoint and credentials from the usual AWS_* variables; needs boto3)

inventory                          every resource of the account that is not there from the beginning, as text
functions PREFIX                   functions: configuration, and what the alias `live` points to
queues PREFIX                      queues and how many messages are in them
invoke FUNCTION PAYLOAD            calls a function (name or ARN) and gives its answer
logs GROUP                         the last 200 lines of a log group
forbid ROLE ACTION                 removes an action from the role's inline policies; gives what `permit` takes to restore them
permit ROLE POLICIES               writes inline policies, {"name": document}
bootstrap ARTIFACT                 SHA-256 of the file `bootstrap` in a zip
remove_function FUNCTION           deletes a function by hand, behind the provider's back
"""
import hashlib, json, sys, zipfile
import boto3
from botocore.config import Config


def client(service):
    s3 = {'addressing_style': 'path'}
    return boto3.client(service, config=Config(retries={'max_attempts': 2}, connect_timeout=5, read_timeout=70, s3=s3))


def pages(service, operation, key, **arguments):
    """All elements of a listing, over all of its pages."""
    api = client(service) if isinstance(service, str) else service
    if api.can_paginate(operation):
        return [each for page in api.get_paginator(operation).paginate(**arguments) for each in page.get(key, [])]
    return getattr(api, operation)(**arguments).get(key, [])


def inventory():
    names = lambda service, operation, key, field: [each[field] if field else each for each in pages(service, operation, key)]
    found = {
        'function': names('lambda', 'list_functions', 'Functions', 'FunctionName'),
        'layer': names('lambda', 'list_layers', 'Layers', 'LayerName'),
        'mapping': names('lambda', 'list_event_source_mappings', 'EventSourceMappings', 'UUID'),
        'role': names('iam', 'list_roles', 'Roles', 'RoleName'),
        'policy': [p['PolicyName'] for p in pages('iam', 'list_policies', 'Policies', Scope='Local')],
        'queue': [url.rsplit('/', 1)[-1] for url in names('sqs', 'list_queues', 'QueueUrls', None)],
        'table': names('dynamodb', 'list_tables', 'TableNames', None),
        'bucket': [b['Name'] for b in client('s3').list_buckets()['Buckets']],
        'log group': names('logs', 'describe_log_groups', 'logGroups', 'logGroupName'),
        'schedule group': [n for n in names('scheduler', 'list_schedule_groups', 'ScheduleGroups', 'Name') if n != 'default'],
        'schedule': names('scheduler', 'list_schedules', 'Schedules', 'Name'),
        'api': [a['Name'] for a in client('apigatewayv2').get_apis()['Items']],
        'topic': names('sns', 'list_topics', 'Topics', 'TopicArn'),
        'secret': names('secretsmanager', 'list_secrets', 'SecretList', 'Name'),
        'parameter': names('ssm', 'describe_parameters', 'Parameters', 'Name'),
        'alarm': [a['AlarmName'] for a in client('cloudwatch').describe_alarms().get('MetricAlarms', [])],
    }
    events = client('events')
    buses = [b['Name'] for b in events.list_event_buses()['EventBuses']]
    found['bus'] = [b for b in buses if b != 'default']
    found['rule'] = [f"{b}/{r['Name']}" for b in buses for r in pages(events, 'list_rules', 'Rules', EventBusName=b)]
    return sorted(f'{kind} {name}' for kind, each in found.items() for name in each)


def functions(prefix):
    api = client('lambda')
    answer = []
    for f in pages(api, 'list_functions', 'Functions'):
        if not f['FunctionName'].startswith(prefix): continue
        live = [a['FunctionVersion'] for a in api.list_aliases(FunctionName=f['FunctionName'])['Aliases'] if a['Name'] == 'live']
        answer.append({'name': f['FunctionName'], 'memory': f['MemorySize'], 'timeout': f['Timeout'], 'code': f['CodeSha256'],
                       'role': f['Role'].rsplit('/', 1)[-1], 'live': live[0] if live else None,
                       'environment': f.get('Environment', {}).get('Variables', {})})
    return sorted(answer, key=lambda f: f['name'])


def queues(prefix):
    api = client('sqs')
    answer = []
    for url in pages(api, 'list_queues', 'QueueUrls', QueueNamePrefix=prefix):
        counts = api.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']
        count = lambda name: int(counts.get('ApproximateNumberOfMessages' + name, 0))
        answer.append({'name': url.rsplit('/', 1)[-1], 'waiting': count(''), 'in_flight': count('NotVisible'), 'delayed': count('Delayed')})
    return sorted(answer, key=lambda q: q['name'])


def invoke(function, payload):
    answer = client('lambda').invoke(FunctionName=function, Payload=payload.encode())
    body = answer['Payload'].read().decode()
    return {'status': answer['StatusCode'], 'error': answer.get('FunctionError'), 'payload': json.loads(body) if body else None}


def logs(group):
    events = pages('logs', 'filter_log_events', 'events', logGroupName=group)
    return [e['message'].rstrip() for e in sorted(events, key=lambda e: e['timestamp'])][-200:]


def forbid(role, action):
    """An action is removed where it is named; wildcards count too, because they would keep permitting it."""
    api, before, touched = client('iam'), {}, 0
    for name in pages(api, 'list_role_policies', 'PolicyNames', RoleName=role):
        document = api.get_role_policy(RoleName=role, PolicyName=name)['PolicyDocument']
        document = json.loads(document) if isinstance(document, str) else document
        before[name] = json.loads(json.dumps(document))
        kept = []
        for statement in document['Statement']:
            actions = statement['Action'] if isinstance(statement['Action'], list) else [statement['Action']]
            rest = [a for a in actions if a.lower() != action.lower() and a not in ('*', action.split(':')[0] + ':*')]
            touched += len(rest) != len(actions)
            if rest: kept.append({**statement, 'Action': rest})
        if kept: api.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps({**document, 'Statement': kept}))
        else: api.delete_role_policy(RoleName=role, PolicyName=name)
    if not touched: raise SystemExit(f'no inline policy of {role} permits {action}: {json.dumps(before)}')
    return before


def permit(role, policies):
    for name, document in json.loads(policies).items():
        client('iam').put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))
    return {}


def remove_function(function):
    client('lambda').delete_function(FunctionName=function)
    return {}


def bootstrap(artifact):
    with zipfile.ZipFile(artifact) as z: return hashlib.sha256(z.read('bootstrap')).hexdigest()


QUESTIONS = (inventory, functions, queues, invoke, logs, forbid, permit, remove_function, bootstrap)

if __name__ == '__main__':
    known = {question.__name__: question for question in QUESTIONS}
    if len(sys.argv) < 2 or sys.argv[1] not in known: raise SystemExit(__doc__)
    print(json.dumps(known[sys.argv[1]](*sys.argv[2:]), default=str))
