"""A resource server with SimpleJWT's JWK_URL and JWTStatelessUserAuthentication: for each token that
comes on standard input, what its view answers."""
import sys

import django
from django.conf import settings

base, audience, algorithm = sys.argv[1:]
settings.configure(
    SECRET_KEY="not-used-by-the-tokens-of-this-resource-server",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "rest_framework"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    },
    SIMPLE_JWT={
        "ALGORITHM": algorithm,
        "JWK_URL": f"{base}/.well-known/jwks.json",
        "AUDIENCE": audience,
        "ISSUER": base,
    },
)
django.setup()

from django.urls import path  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402


@api_view(["GET"])
def who(request):
    user = request.user
    return Response([str(user.id), user.username, user.is_staff, user.token["groups"]])


urlpatterns = [path("who/", who)]
client = APIClient()
for line in sys.stdin:
    answer = client.get("/who/", HTTP_AUTHORIZATION=f"Bearer {line.strip()}")
    print(f"ok {answer.data}" if answer.status_code == 200 else f"refused {answer.status_code}", flush=True)
