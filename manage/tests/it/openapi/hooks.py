"""For schemathesis: requests are those of superusers, and YAML is read.

What is tried may end the sessions and tokens of whoever sends it, so they take turns.
"""

import base64
import hmac
import itertools
import json
import os
import time
import uuid

import schemathesis
import yaml


def encoded(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=")


superusers = itertools.cycle(os.environ["SUPERUSERS"].split(","))


def token():
    """A token of the next superuser that belongs to no session, as SimpleJWT makes them."""
    now = int(time.time())
    user = next(superusers)
    claims = {"token_type": "access", "iat": now, "exp": now + 300, "user_id": user}
    claims["jti"] = uuid.uuid4().hex
    parts = {"alg": "HS256", "typ": "JWT"}, claims
    signed = b".".join(encoded(json.dumps(part).encode()) for part in parts)
    key = os.environ["SIGNING_KEY"].encode()
    return (signed + b"." + encoded(hmac.digest(key, signed, "sha256"))).decode()


@schemathesis.auth(refresh_interval=1)
class Superuser:
    def get(self, case, context):
        return token()

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.deserializer("application/vnd.oai.openapi", "application/yaml")
def read_yaml(context, response):
    return yaml.safe_load(response.content)
