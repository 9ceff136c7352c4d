"""moto as a second opinion: does another emulation of AWS, by other people, take the requests of the provider for what we take them for?

Nothing of MiniStack or of our layers is in it. Where moto itself is wrong or lacks a call, that is mended or added here, each with its reason, and printed at the
start: what is listed here is *not* a second opinion."""
import json, sys

import moto.apigatewayv2.models as apis
import moto.apigatewayv2.responses as apigatewayv2
import moto.apigatewayv2.urls as apigatewayv2_urls
import moto.awslambda.models as awslambda
import moto.s3.models as s3
import moto.s3.responses as s3_responses
import moto.scheduler.models as scheduler
from moto.core import config
from moto.core.exceptions import JsonRESTError
from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.server import main

# Functions are not run here: the control plane is what is asked about. IAM is not enforced: MiniStack does that.
config.default_user_config['lambda'] = {'use_docker': False}


def get_authorizers(self):
    """API Gateway v2 has no GetAuthorizers, though it keeps them."""
    api = self.apigatewayv2_backend.get_api(self.path.split('/')[-2])
    return 200, {}, json.dumps({'items': [it.to_json() for it in api.authorizers.values()]})


def stage_of(backend, arn):
    _, _, rest = arn.partition('/apis/')
    api, _, stage = rest.partition('/stages/')
    return backend.apis[api].stages[stage] if stage else None


def tag_resource(self, resource_arn, tags):
    """API Gateway v2 has no tags of stages but those that they are made with."""
    stage = stage_of(self, resource_arn)
    if stage is None: return tag_of_api(self, resource_arn, tags)
    stage.tags = {**(stage.tags or {}), **tags}


def untag_resource(self, resource_arn, tag_keys):
    """And no way to take them away."""
    stage = stage_of(self, resource_arn)
    if stage is None: return untag_of_api(self, resource_arn, tag_keys)
    stage.tags = {key: value for key, value in (stage.tags or {}).items() if key not in tag_keys}


def get_permission(self, action, resource):
    """Statements of bucket policies apply whatever their conditions say. Those about plain HTTP are left out: the loopback stands for TLS."""
    if self.policy is None: return PermissionResult.NEUTRAL
    policy = json.loads(self.policy)
    policy['Statement'] = [it for it in policy['Statement'] if 'aws:SecureTransport' not in json.dumps(it.get('Condition', {}))]
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource) if policy['Statement'] else PermissionResult.NEUTRAL


class Conflict(JsonRESTError):
    code = 409


def create_schedule_group(self, name, tags):
    """Scheduler makes a group again that is there already, where AWS refuses."""
    if name in self.schedule_groups: raise Conflict('ConflictException', f'Schedule group {name} already exists.')
    return make_group(self, name, tags)


def serialized(self, result):
    """S3's GetBucketVersioning and GetBucketNotificationConfiguration answer an element of another name than S3 does."""
    status, headers, body = BASE.serialized(self, result)
    for wrong, right in (('GetBucketVersioningResponse', 'VersioningConfiguration'), ('GetBucketNotificationResponse', 'NotificationConfiguration')):
        body = body.replace(wrong, right) if isinstance(body, str) else body.replace(wrong.encode(), right.encode())
    return status, headers, body


def get_configuration(self):
    """Lambda's mappings answer the version behind the alias that they were made for."""
    told = of_mapping(self)
    function, alias = ':'.join(told['FunctionArn'].split(':')[:7]), self.function_name.rpartition(':')[2]
    if alias != function.rpartition(':')[2]: told['FunctionArn'] = f'{function}:{alias}'
    return told


tag_of_api, untag_of_api = apis.ApiGatewayV2Backend.tag_resource, apis.ApiGatewayV2Backend.untag_resource
STAGES = '{0}/v2/tags/(?P<resource_arn_pt1>[^/]+)/apis/(?P<resource_arn_pt2>[^/]+)/stages/(?P<resource_arn_pt3>[^/]+)$'
make_group = scheduler.EventBridgeSchedulerBackend.create_schedule_group
of_mapping = awslambda.EventSourceMapping.get_configuration
BASE = s3_responses.S3Response.__mro__[1]
MENDED = [(apigatewayv2.ApiGatewayV2Response, get_authorizers), (apis.ApiGatewayV2Backend, tag_resource), (apis.ApiGatewayV2Backend, untag_resource),
          (s3.FakeBucket, get_permission), (s3_responses.S3Response, serialized),
          (scheduler.EventBridgeSchedulerBackend, create_schedule_group), (awslambda.EventSourceMapping, get_configuration)]

if __name__ == '__main__':
    for owner, mended in MENDED:
        setattr(owner, mended.__name__, mended)
        print('not moto:', mended.__doc__, flush=True)
    apigatewayv2_urls.url_paths[STAGES] = apigatewayv2.ApiGatewayV2Response.dispatch
    main(['-H', '127.0.0.1', '-p', sys.argv[1]])
