"""Where the emulator authorizes another call than AWS does: tags are asked for by the ARN in the request, an event bus is no rule, a new function and a federated user have names, and the
loopback stands for TLS, so that `aws:SecureTransport` holds."""
import json
from urllib.parse import parse_qs, unquote

import ministack.core.iam_actions as actions
import ministack.core.iam_evaluator as evaluator

TAGGED = {'dynamodb': 'ResourceArn', 'events': 'ResourceARN', 'logs': 'resourceArn'}
resource_of, evaluate = actions.extract_resource_arn, evaluator.evaluate


def resource(service, method, path, headers, body, query, region, account):
    found = resource_of(service, method, path, headers, body, query, region, account)
    operation = next((v for k, v in headers.items() if k.lower() == 'x-amz-target'), '').rsplit('.', 1)[-1]
    try: data = json.loads(body or b'{}') if service in (*TAGGED, 'lambda') else {}
    except ValueError: return found
    if found == '*' and isinstance(data, dict) and isinstance(data.get(TAGGED.get(service)), str): return data[TAGGED[service]]
    if found == '*' and service == 'scheduler' and '/tags/' in path: return unquote(path.split('/tags/', 1)[1])
    if service == 'events' and operation in ('CreateEventBus', 'DeleteEventBus', 'DescribeEventBus', 'UpdateEventBus'):
        return f'arn:aws:events:{region}:{account}:event-bus/{data.get("Name", "default")}'
    if service == 'sts' and b'Action=GetFederationToken' in (body or b''):
        return f'arn:aws:sts::{account}:federated-user/{parse_qs(body.decode()).get("Name", [""])[0]}'
    if operation == 'DescribeLogGroups': return f'arn:aws:logs:{region}:{account}:log-group::log-stream:'   # as AWS's own messages name it
    if service == 'lambda' and method == 'POST' and path.rstrip('/').endswith('/functions'): return f'arn:aws:lambda:{region}:{account}:function:{data.get("FunctionName", "")}'
    return found


def over_tls(ctx, *policies):
    ctx.secure_transport = True
    return evaluate(ctx, *policies)


def install(): actions.extract_resource_arn, evaluator.evaluate = resource, over_tls
