"""Counts what AWS would bill for the data plane, and notes when each thing happened. Deliberately prices nothing: `cargo xtask bench` does.

GET /_ministack/counts answers, since the start:

  {"calls": {"<role, user or root> <service>:<operation>": {"calls": n, "units": n}},
   "functions": {"<function>": {"invocations": n, "ms": n, "log_bytes": n}},
   "queues": {"<queue>": {"received": n, "messages": n, "deleted": n}}}

Units are those that are billed: capacity units of DynamoDB, 64 KB of a message, one otherwise. Functions and queues tell what no request shows, because event source
mappings work inside the emulator: invocations, and the receives that found messages and the deletions that followed, which AWS bills as the mapping's requests.
GET /_ministack/times answers the last things that happened: [[begin, end, who, what], ...] in seconds since 1970.
"""
import contextvars, json, math, threading, time
from collections import deque

import ministack.core.iam_evaluator as evaluator
import ministack.services.dynamodb as ddb
import ministack.services.lambda_svc as svc
import ministack.services.sqs as sqs
import roles
from record import naming, principal

READS, WRITES = ('GetItem', 'Query', 'Scan', 'BatchGetItem'), ('PutItem', 'UpdateItem', 'DeleteItem')
# The lines START, END and REPORT of an invocation, as Lambda writes them in its text format.
PLATFORM_LINES = 66 + 52 + 141
counts, times, lock = {'calls': {}, 'functions': {}, 'queues': {}}, deque(maxlen=20_000), threading.Lock()
action = contextvars.ContextVar('action', default='')


def add(kind, name, **numbers):
    with lock:
        entry = counts[kind].setdefault(name, dict.fromkeys(numbers, 0))
        for key, number in numbers.items(): entry[key] += number


def size(value):
    """Bytes of an attribute's value, as DynamoDB counts them."""
    (kind, it), = value.items()
    if kind == 'S': return len(it.encode())
    if kind == 'N': return (len(it.strip('-').replace('.', '')) + 1) // 2 + 1
    if kind == 'B': return len(it) * 3 // 4
    if kind == 'M': return 3 + sum(len(name.encode()) + size(each) + 1 for name, each in it.items())
    if kind == 'L': return 3 + sum(size(each) + 1 for each in it)
    if kind in ('SS', 'NS', 'BS'): return sum(len(each.encode()) for each in it)
    return 1


def weight(item): return sum(len(name.encode()) + size(value) for name, value in item.items())


def held(body):
    """Weight of the item that a write is about, as it is now; of a request that names none, nothing."""
    try:
        asked = json.loads(body or b'{}')
        table, key = ddb._tables[ddb._normalize_table_name(asked['TableName'])], asked.get('Item') or asked['Key']
        at = [ddb._extract_key_val(key[table[name]]) if table[name] else '__no_sort__' for name in ('pk_name', 'sk_name')]
        return weight(table['items'].get(at[0], {}).get(at[1]) or {})
    except (AttributeError, KeyError, TypeError, ValueError): return 0


def is_write(service, operation): return service == 'dynamodb' and operation in WRITES


def units(service, operation, body, reply, before):
    """What a request is billed as. A write is billed by the larger size of its item, before and after. What it costs in indexes is not counted."""
    if service == 'sqs': return max(1, math.ceil(len(body) / 65_536))
    if service != 'dynamodb' or operation not in READS + WRITES: return 1
    if operation in WRITES: return max(1, math.ceil(max(before, held(body)) / 1_024))
    asked, answer = (json.loads(text or b'{}') for text in (body, reply))
    items = answer.get('Items') or [answer.get('Item') or {}]
    return max(1, math.ceil(sum(map(weight, items)) / 4_096)) * (1 if asked.get('ConsistentRead') else 0.5)


def name_of(arn):
    """The role of an assumed role, whatever its session; the name of a user; root, which meets no policy."""
    if not arn: return 'root'
    return arn.split('/')[1] if ':assumed-role/' in arn else arn.rsplit('/', 1)[-1]


def asking(decide):
    def enforce(access_key, asked, *a, **kw):
        principal.set('')
        try: return decide(access_key, asked, *a, **kw)
        finally: action.set(asked)
    return enforce


def counted(service, handler):
    async def handle(method, path, headers, body, query):
        action_, who, began = action.get(), name_of(principal.get()), time.time()
        operation = action_.split(':')[-1]
        before = held(body) if is_write(service, operation) else 0
        reply = await handler(method, path, headers, body, query)
        if action_ and not path.startswith('/_'):
            # A condition that does not hold is billed as the write that it would have been.
            add('calls', f'{who} {action_}', calls=1, units=units(service, operation, body, reply[2] if isinstance(reply[2], bytes) else b'', before))
            times.append((began, time.time(), who, action_))
        return reply
    return handle


def running(dispatch):
    def run(func, config, event, request_id, started):
        result = dispatch(func, config, event, request_id, started)
        name, ended = config.get('FunctionName', ''), time.time()
        lines = (result.get('log') or '') if isinstance(result, dict) else ''
        add('functions', name, invocations=1, ms=(ended - started) * 1_000, log_bytes=len(lines.encode()) + PLATFORM_LINES)
        times.append((started, ended, name, 'invocation'))
        return result
    return run


def receiving(receive):
    def run(queue_url, most):
        messages = receive(queue_url, most)
        if messages:
            queue = queue_url.rsplit('/', 1)[-1]
            add('queues', queue, received=1, messages=len(messages), deleted=0)
            times.append((messages[0]['sent_at'], time.time(), queue, 'message'))
        return messages
    return run


def deleting(delete):
    def run(queue_url, handles):
        if handles: add('queues', queue_url.rsplit('/', 1)[-1], received=0, messages=0, deleted=1)
        return delete(queue_url, handles)
    return run


def answering(health):
    def answer(path, request_id):
        if path not in ('/_ministack/counts', '/_ministack/times'): return health(path, request_id)
        with lock: text = json.dumps(counts if path.endswith('counts') else list(times))
        return 200, {'Content-Type': 'application/json'}, text.encode()
    return answer


def install():
    from ministack import app
    evaluator.evaluate = naming(evaluator.evaluate)
    evaluator.enforce = roles.enforce = asking(evaluator.enforce)
    for service in list(app.SERVICE_HANDLERS): app.SERVICE_HANDLERS[service] = counted(service, app.SERVICE_HANDLERS[service])
    svc._execute_function_dispatch = running(svc._execute_function_dispatch)
    sqs._receive_messages_for_esm, sqs._delete_messages_for_esm = receiving(sqs._receive_messages_for_esm), deleting(sqs._delete_messages_for_esm)
    app._handle_health_request = answering(app._handle_health_request)
