"""Verifies the tokens that come on standard input, one a line, with PyJWT's PyJWKClient."""
import sys

import jwt

base, audience = sys.argv[1:]
keys = jwt.PyJWKClient(f"{base}/.well-known/jwks.json")
for line in sys.stdin:
    token = line.strip()
    try:
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(
            token, key, algorithms=["RS256", "ES256", "EdDSA"], audience=audience, issuer=base
        )
        print("ok", claims["sub"], flush=True)
    except jwt.PyJWTError as error:
        print("refused", type(error).__name__, flush=True)
