"""For schemathesis: every request is the superuser's, with a token of its own, and YAML is read."""

import base64
import hmac
import json
import os
import time
import uuid

import schemathesis
import yaml


def encoded(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def token():
    """A token that no session's end ends, as SimpleJWT makes them."""
    now = int(time.time())
    claims = {"token_type": "access", "iat": now, "exp": now + 300, "user_id": "1"}
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
