"""A shop's accounts in Django, with DRF and SimpleJWT, for the benchmark `beside`.

`python shop.py` fills the database that DATABASE names; gunicorn serves `shop:application`.
"""

import os
import sys
from datetime import timedelta

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="of-a-benchmark-0123456789abcdef0123456789abcdef",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    ROOT_URLCONF="shop",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["DATABASE"],
            # What production sites set: no connection for each request, no lock of readers.
            "CONN_MAX_AGE": None,
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"},
        }
    },
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
    ],
    SIMPLE_JWT={"ACCESS_TOKEN_LIFETIME": timedelta(seconds=int(os.environ["LIFETIME"]))},
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    PASSWORD_HASHERS=["shop.Argon2"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTAuthentication"
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
# The module is its own settings, URLs and hashers, also as a script.
sys.modules["shop"] = sys.modules[__name__]
django.setup()

from django.contrib.auth.hashers import Argon2PasswordHasher  # noqa: E402
from django.contrib.auth.models import Group, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402
from rest_framework import permissions, routers, serializers, viewsets  # noqa: E402
from rest_framework_simplejwt.views import (  # noqa: E402
    TokenObtainPairView,
    TokenRefreshView,
)


class Argon2(Argon2PasswordHasher):
    """With the parameters of the service beside it."""

    memory_cost, time_cost, parallelism = 19_456, 2, 1


class GroupSerializer(serializers.ModelSerializer):
    class Meta:
        model = Group
        fields = ["id", "name"]


class UserSerializer(serializers.ModelSerializer):
    groups = GroupSerializer(many=True, read_only=True)

    class Meta:
        model = User
        fields = ["id", "username", "email", "first_name", "last_name", "groups"]


class IsOneselfOrAdmin(permissions.BasePermission):
    def has_object_permission(self, request, view, user):
        return request.user.is_staff or request.user == user


class Users(viewsets.ModelViewSet):
    queryset = User.objects.order_by("id").prefetch_related("groups")
    serializer_class = UserSerializer
    permission_classes = [permissions.IsAuthenticated, IsOneselfOrAdmin]


class Groups(viewsets.ModelViewSet):
    queryset = Group.objects.order_by("id")
    serializer_class = GroupSerializer
    permission_classes = [permissions.IsAdminUser]


router = routers.SimpleRouter()
router.register("users", Users)
router.register("groups", Groups)
urlpatterns = [
    path("api/auth/login/", TokenObtainPairView.as_view()),
    path("api/auth/token/refresh/", TokenRefreshView.as_view()),
    path("api/auth/", include(router.urls)),
]


def fill():
    """The accounts that the benchmark asks for; it makes the same on the other side."""
    call_command("migrate", verbosity=0)
    password = os.environ["PASSWORD"]
    User.objects.create_superuser("admin", "admin@example.com", password)
    ann = User.objects.create_user("ann", "ann@example.com", password)
    groups = [Group.objects.create(name=f"group {number}") for number in range(20)]
    ann.groups.set(groups[:3])


if __name__ == "__main__":
    fill()
else:
    application = get_wsgi_application()
