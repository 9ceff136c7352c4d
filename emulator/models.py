"""Is a request what its service's published model says it may be: an operation that exists, members that it has, lengths, patterns, ranges, enums
and required members?  The models are botocore's, from PyPI.  Nothing here knows what a service does.

`check(service, method, path, headers, body, query)` answers (service, operation, [what is wrong]).
"""
import base64, functools, json, re
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from botocore.loaders import Loader
from botocore.model import ServiceModel

MODELS = {'apigateway': 'apigatewayv2', 'logs': 'logs', 'monitoring': 'cloudwatch', **{name: name for name in (
    'lambda', 'iam', 'sts', 's3', 'sqs', 'dynamodb', 'events', 'scheduler')}}
# The SDK names the operation in the query, which the models do not know.
OUR_OWN_QUERY = {'x-id'}
NUMBERS = {'integer': int, 'long': int, 'float': float, 'double': float}


@functools.lru_cache
def model(name): return ServiceModel(Loader().load_service_model(name, 'service-2'), name)


@functools.lru_cache
def operations(name):
    """(method, path expression, literal query, operation), the most literal first."""
    found = []
    for operation in (model(name).operation_model(it) for it in model(name).operation_names):
        if operation.deprecated: continue                # S3 has two of them under the request of the operation that came after
        path, _, literal = operation.http['requestUri'].partition('?')
        # An ARN at the end comes with its slashes: the emulator has decoded the path.
        parts = [('(?P<%s>.+)' if p.endswith('+') or path.lower().endswith(('{resourcearn}', '{resource-arn}')) else '(?P<%s>[^/]+)') % re.sub(r'\W', '', p) if i % 2 else re.escape(p)
                 for i, p in enumerate(re.split(r'\{([^}]+)\}', path))]
        query = dict(parse_qsl(literal, keep_blank_values=True))
        found.append((operation.http['method'], re.compile(''.join(parts).rstrip('/') + '/?$'), query, operation, '{' in path))
    return sorted(found, key=lambda it: (-len(it[2]), it[1].pattern.count('(?P<'), it[1].pattern.count('.+')))


def rest(name, method, path, headers, query):
    """The operation of a request of a REST protocol, and the parameters in its path."""
    required = [it for it in operations(name) if it[0] == method]
    for _, expression, literal, operation, _ in required:
        match = expression.match(path)
        if not match or any(query.get(k) != v for k, v in literal.items()): continue
        shape = operation.input_shape
        places = {m.serialization.get('name', n): m for n, m in shape.members.items()} if shape else {}
        extra = set(query) - set(literal) - OUR_OWN_QUERY
        known = {k for k, m in places.items() if m.serialization.get('location') == 'querystring'}
        maps = any(m.serialization.get('location') == 'querystring' and m.type_name in ('map',) for m in places.values())
        if extra - known and not maps: continue
        needed = [m for n, m in (shape.members.items() if shape else ()) if n in shape.required_members]
        if any(m.serialization.get('location') == 'header' and m.serialization['name'].lower() not in headers for m in needed): continue
        if any(m.serialization.get('location') == 'querystring' and m.serialization['name'] not in query for m in needed): continue
        return operation, {k: unquote(v) for k, v in match.groupdict().items()}
    return None, {}


def scalar(shape, text):
    """Text of a path, query, header, form or XML element as its shape's type."""
    try:
        if shape.type_name in NUMBERS: return NUMBERS[shape.type_name](text)
    except (TypeError, ValueError): return text
    if shape.type_name == 'boolean': return {'true': True, 'false': False}.get(text, text)
    return text


def of_form(shape, form, prefix):
    """A value of the query protocol."""
    if shape.type_name == 'structure':
        found = {n: of_form(m, form, f'{prefix}.{m.serialization.get("name", n)}'.strip('.')) for n, m in shape.members.items()}
        return {n: v for n, v in found.items() if v is not None} or (None if prefix else {})
    if shape.type_name in ('list', 'map'):
        entry = prefix if shape.serialization.get('flattened') else f'{prefix}.{"member" if shape.type_name == "list" else "entry"}'
        if shape.type_name == 'list' and not shape.serialization.get('flattened'): entry = f'{prefix}.{shape.member.serialization.get("name", "member")}'
        items, n = [], 1
        while any(k == f'{entry}.{n}' or k.startswith(f'{entry}.{n}.') for k in form):
            items.append(of_form(shape.member, form, f'{entry}.{n}') if shape.type_name == 'list' else
                         (form.get(f'{entry}.{n}.key'), of_form(shape.value, form, f'{entry}.{n}.value'))); n += 1
        return None if not items else items if shape.type_name == 'list' else dict(items)
    return scalar(shape, form[prefix]) if prefix in form else None


def of_xml(shape, element):
    local = lambda it: it.tag.rsplit('}', 1)[-1]
    if shape.type_name == 'structure':
        found = {}
        for name, member in shape.members.items():
            wire = member.serialization.get('name', name); many = [it for it in element if local(it) == wire]
            if member.serialization.get('xmlAttribute'): continue
            if member.type_name == 'list' and member.serialization.get('flattened'):
                wire = member.member.serialization.get('name', wire) if not many else wire
                many = many or [it for it in element if local(it) == wire]
                if many: found[name] = [of_xml(member.member, it) for it in many]
            elif many: found[name] = of_xml(member, many[0])
        known = {m.serialization.get('name', n) for n, m in shape.members.items()}
        found.update({local(it): it.text for it in element if local(it) not in known})
        return found
    if shape.type_name == 'list': return [of_xml(shape.member, it) for it in element]
    return scalar(shape, element.text or '')


def parameters(operation, labels, headers, body, query):
    """Everything that a request says, by the names of the model."""
    shape, protocol = operation.input_shape, operation.service_model.metadata['protocol']
    if shape is None: return {}
    if protocol == 'json': return json.loads(body or b'{}')
    if protocol == 'query':
        form = dict(parse_qsl(body.decode(), keep_blank_values=True)); form = {k: v for k, v in form.items() if k not in ('Action', 'Version')}
        return of_form(shape, form, '')
    found, rest_of = {}, {}
    for name, member in shape.members.items():
        place, wire = member.serialization.get('location'), member.serialization.get('name', name)
        if place == 'uri': found[name] = scalar(member, labels.get(re.sub(r'\W', '', wire)))
        elif place == 'querystring' and wire in query: found[name] = query[wire].split(',') if member.type_name == 'list' else scalar(member, query[wire])
        elif place == 'header' and wire.lower() in headers: found[name] = scalar(member, headers[wire.lower()])
        elif place is None: rest_of[name] = member
    payload = shape.serialization.get('payload')
    if payload and payload in shape.members:
        member = shape.members[payload]
        if member.type_name == 'blob' or member.type_name == 'string': found[payload] = body
        elif body: found[payload] = of_xml(member, ElementTree.fromstring(body)) if protocol == 'rest-xml' else json.loads(body)
    elif rest_of and body:
        wire = {member.serialization.get('name', name): name for name, member in rest_of.items()}
        found.update({wire.get(k, k): v for k, v in json.loads(body).items()} if protocol == 'rest-json' else of_xml(shape, ElementTree.fromstring(body)))
    return found


def wrong(shape, value, at):
    """What the model says against a value."""
    kind, limits, found = shape.type_name, shape.metadata, []
    if kind == 'structure':
        if not isinstance(value, dict): return [f'{at}: {type(value).__name__} instead of a structure']
        names = {m.serialization.get('name', n): n for n, m in shape.members.items()}
        found += [f'{at}: {name} is missing' for name in shape.required_members if value.get(name) is None and value.get(shape.members[name].serialization.get('name')) is None]
        for name, inner in value.items():
            member = shape.members.get(name) or shape.members.get(names.get(name, ''))
            found += [f'{at}: there is no member {name}'] if member is None else [] if inner is None else wrong(member, inner, f'{at}.{name}')
        return found
    if kind in ('list', 'map'):
        if not isinstance(value, list if kind == 'list' else dict): return [f'{at}: {type(value).__name__} instead of a {kind}']
        if not limits.get('min', 0) <= len(value) <= limits.get('max', len(value)): found.append(f'{at}: {len(value)} members')
        for i, inner in enumerate(value):
            found += wrong(shape.member, inner, f'{at}[{i}]') if kind == 'list' else wrong(shape.key, inner, f'{at} key') + wrong(shape.value, value[inner], f'{at}.{inner}')
        return found
    if kind in NUMBERS:
        if isinstance(value, bool) or not isinstance(value, (int, float)): return [f'{at}: {value!r} is no number']
        return [] if limits.get('min', value) <= value <= limits.get('max', value) else [f'{at}: {value} is out of range']
    if kind == 'boolean': return [] if isinstance(value, bool) else [f'{at}: {value!r} is no boolean']
    if kind == 'blob' and isinstance(value, str):
        try: value = base64.b64decode(value, validate=True)
        except ValueError: return [f'{at}: no base64']
    if kind in ('string', 'blob'):
        if not isinstance(value, (str, bytes)): return [f'{at}: {value!r} is no text']
        if not limits.get('min', 0) <= len(value) <= limits.get('max', len(value)): found.append(f'{at}: {len(value)} long, {limits.get("min", 0)} to {limits.get("max")} allowed')
        if kind == 'string' and isinstance(value, str):
            if shape.enum and value not in shape.enum: found.append(f'{at}: {value!r} is not one of {", ".join(shape.enum)}')
            if 'pattern' in limits and not matches(limits['pattern'], value): found.append(f'{at}: {value[:80]!r} does not match {limits["pattern"]}')
    return found


@functools.lru_cache(maxsize=4096)
def matches(pattern, value):
    # Java's classes, as far as the models use them; a pattern that Python cannot read judges nothing.
    for java, ours in (('L', r'\w'), ('N', r'\d'), ('Z', r'\s'), ('P', '!-/'), ('M', ''), ('S', '')): pattern = pattern.replace('\\p{%s}' % java, ours)
    try: return re.search(rf'^(?:{pattern})$', value) is not None
    except re.error: return True


def check(service, method, path, headers, body, query):
    if service not in MODELS: return service, '?', ['there is no model']
    name = MODELS[service]
    headers = {k.lower(): v for k, v in headers.items()}
    query = {k: v[0] if isinstance(v, list) else v for k, v in query.items()}
    protocol, labels = model(name).metadata['protocol'], {}
    try:
        if protocol == 'json': operation = headers.get('x-amz-target', '').rsplit('.', 1)[-1]
        elif protocol == 'query': operation = dict(parse_qsl(body.decode())).get('Action')
        else:
            found, labels = rest(name, method, path, headers, query); operation = found and found.name
        if operation not in model(name).operation_names: return name, str(operation), [f'{method} {path}?{"&".join(query)} is no operation']
        found = model(name).operation_model(operation)
        values = parameters(found, labels, headers, body, query)
        return name, operation, wrong(found.input_shape, values, operation) if found.input_shape else []
    except Exception as error:  # whatever cannot be read is not what the model says
        return name, str(operation), [f'{operation}: cannot be read: {error!r}']
