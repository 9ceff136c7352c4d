#!/usr/bin/env python3
"""Proves that `models.py` reads requests of every protocol and finds what is wrong with them.  Prints `ok` or `MISS`, one case a line."""
import json, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..'))
import models

JSON = lambda target: {'X-Amz-Target': target}
FUNCTION = {'FunctionName': 'f', 'Role': 'arn:aws:iam::000000000000:role/r', 'Code': {'S3Bucket': 'bucket', 'S3Key': 'k'}}
# service, method, path, headers, body, query, operation, words of what is wrong (nothing: it is right)
CASES = [
    ('lambda', 'POST', '/2015-03-31/functions', {}, FUNCTION, {}, 'CreateFunction', ''),
    ('lambda', 'POST', '/2015-03-31/functions', {}, {**FUNCTION, 'Timeout': 0}, {}, 'CreateFunction', 'Timeout: 0 is out of range'),
    ('lambda', 'POST', '/2015-03-31/functions', {}, {**FUNCTION, 'Role': 'r'}, {}, 'CreateFunction', "Role: 'r' does not match"),
    ('lambda', 'POST', '/2015-03-31/functions', {}, {**FUNCTION, 'Runtime': 'cobol'}, {}, 'CreateFunction', "'cobol' is not one of"),
    ('lambda', 'POST', '/2015-03-31/functions', {}, {**FUNCTION, 'Memory': 1}, {}, 'CreateFunction', 'there is no member Memory'),
    ('lambda', 'POST', '/2015-03-31/functions', {}, {'FunctionName': 'f'}, {}, 'CreateFunction', 'Role is missing'),
    ('lambda', 'POST', '/2015-03-31/functions', {}, {**FUNCTION, 'Environment': {'Variables': {'1X': 'y'}}}, {}, 'CreateFunction', "'1X' does not match"),
    ('lambda', 'GET', '/2015-03-31/functions/f', {}, None, {'Qualifier': 'live'}, 'GetFunction', ''),
    ('lambda', 'GET', '/2015-03-31/functions/f', {}, None, {'Qualifier': 'a b'}, 'GetFunction', "'a b' does not match"),
    ('lambda', 'GET', '/2015-03-31/functions/f', {}, None, {'Nothing': '1'}, '', 'is no operation'),
    ('apigateway', 'POST', '/v2/apis', {}, {'name': 'a', 'protocolType': 'HTTP'}, {}, 'CreateApi', ''),
    ('apigateway', 'POST', '/v2/apis', {}, {'protocolType': 'HTTP'}, {}, 'CreateApi', 'Name is missing'),
    ('apigateway', 'POST', '/v2/tags/arn:aws:apigateway:us-east-1::/apis/a/stages/$default', {}, {'tags': {'k': 'v'}}, {}, 'TagResource', ''),
    ('apigateway', 'DELETE', '/v2/tags/arn:aws:apigateway:us-east-1::/apis/a', {}, None, {'tagKeys': 'k'}, 'UntagResource', ''),
    ('scheduler', 'GET', '/tags/arn:aws:scheduler:us-east-1:000000000000:schedule-group/g', {}, None, {}, 'ListTagsForResource', ''),
    ('dynamodb', 'POST', '/', JSON('DynamoDB_20120810.DescribeTable'), {'TableName': 'table'}, {}, 'DescribeTable', ''),
    ('dynamodb', 'POST', '/', JSON('DynamoDB_20120810.PutItem'), {'TableName': 'table', 'Item': {'k': {'S': 1}}}, {}, 'PutItem', '1 is no text'),
    ('dynamodb', 'POST', '/', JSON('DynamoDB_20120810.Nothing'), {}, {}, 'Nothing', 'is no operation'),
    ('sqs', 'POST', '/', JSON('AmazonSQS.SendMessage'), {'QueueUrl': 'u'}, {}, 'SendMessage', 'MessageBody is missing'),
    ('events', 'POST', '/', JSON('AWSEvents.PutRule'), {'Name': 'x' * 65}, {}, 'PutRule', '65 long'),
    ('logs', 'POST', '/', JSON('Logs_20140328.PutRetentionPolicy'), {'logGroupName': 'a?', 'retentionInDays': 1}, {}, 'PutRetentionPolicy', "'a?' does not match"),
    ('iam', 'POST', '/', {}, 'Action=GetRole&Version=2010-05-08&RoleName=r', {}, 'GetRole', ''),
    ('iam', 'POST', '/', {}, 'Action=GetRole&Version=2010-05-08', {}, 'GetRole', 'RoleName is missing'),
    ('iam', 'POST', '/', {}, 'Action=TagRole&Version=2010-05-08&RoleName=r&Tags.member.1.Key=k', {}, 'TagRole', 'Value is missing'),
    ('s3', 'PUT', '/bucket/key', {}, 'text', {'x-id': 'PutObject'}, 'PutObject', ''),
    ('s3', 'GET', '/bucket', {}, None, {'list-type': '2', 'max-keys': '1'}, 'ListObjectsV2', ''),
    ('s3', 'PUT', '/bucket', {}, '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>', {'versioning': ''}, 'PutBucketVersioning', ''),
    ('s3', 'PUT', '/bucket', {}, '<VersioningConfiguration><Status>On</Status></VersioningConfiguration>', {'versioning': ''}, 'PutBucketVersioning', "'On' is not one of"),
    ('s3', 'PUT', '/bucket', {}, '<LifecycleConfiguration><Rule><ID>i</ID><Filter><Prefix>p</Prefix></Filter><Status>Enabled</Status></Rule></LifecycleConfiguration>', {'lifecycle': ''}, 'PutBucketLifecycleConfiguration', ''),
    ('s3', 'PUT', '/bucket', {}, '<NotificationConfiguration><EventBridgeConfiguration/></NotificationConfiguration>', {'notification': ''}, 'PutBucketNotificationConfiguration', ''),
    ('s3', 'PUT', '/bucket', {}, '<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>', {'tagging': ''}, 'PutBucketTagging', 'Value is missing'),
]

missed = 0
for service, method, path, headers, body, query, operation, words in CASES:
    raw = b'' if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    _, found, wrong = models.check(service, method, path, headers, raw, query)
    right = (not operation or found == operation) and (any(words in it for it in wrong) if words else not wrong)
    missed += not right
    print('ok  ' if right else 'MISS', service, operation, words or 'is right', '' if right else f'-> {found} {wrong}')
sys.exit(missed > 0)
