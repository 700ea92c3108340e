"""A Django site in one file, for the round trip: python site.py DATABASE COMMAND ...

`fill` makes accounts, `facts` prints what Django says of them; the rest are Django's own commands.
"""

import json
import sys

import django
from django.conf import settings

database = sys.argv[1]
settings.configure(
    SECRET_KEY="of-a-test",
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
    INSTALLED_APPS=[
        "django.contrib.admin",
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.messages",
        "django.contrib.sessions",
    ],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PASSWORD_HASHERS=[
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
        "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
        "django.contrib.auth.hashers.BCryptPasswordHasher",
        "django.contrib.auth.hashers.ScryptPasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ],
)
django.setup()

from django.contrib.admin.models import LogEntry  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402

PASSWORD = " a Pass-phrase of 2026 "


def fill():
    content_type = ContentType.objects.create(app_label="blog", model="post")
    for codename in ["publish", "can do: everything, with spaces"]:
        Permission.objects.create(
            codename=codename, name=codename.title(), content_type=content_type
        )
    editors = Group.objects.create(id=40, name="Editors ✓")
    editors.permissions.set(Permission.objects.filter(codename__startswith="p"))
    hashers = ["argon2", "pbkdf2_sha256", "pbkdf2_sha1", "bcrypt_sha256", "bcrypt", "scrypt"]
    names = ["ann", "john smith", "o'brien", "ｗｉｄｅ", "wide", "कि", "İstanbul", "boss"]
    for number, name in enumerate(names):
        user = User.objects.create(
            id=[3, 7, 2**33][number % 3] + number,
            username=name,
            email=["shared@example.com", "Shared@Example.com", "none", ""][number % 4],
            first_name=name[:3],
            last_name="<&>\"'\n",
            password=make_password(PASSWORD, hasher=hashers[number % len(hashers)]),
            is_active=number != 5,
            is_staff=number > 5,
            is_superuser=name == "boss",
            date_joined=f"20{10 + number}-02-03T04:05:06.{number}23456+00:00",
            last_login=None if number % 2 else "2024-01-01T00:00:00.000001+00:00",
        )
        if number % 2:
            user.groups.add(editors)
        if number % 3 == 0:
            user.user_permissions.set(Permission.objects.filter(codename__contains="every"))
    boss = User.objects.get(username="boss")
    LogEntry.objects.log_actions(boss.pk, [editors], 2, change_message="x", single_object=True)


def facts():
    def of(user):
        fields = "pk username email first_name last_name password is_active is_staff is_superuser"
        known = {name: getattr(user, name) for name in fields.split()}
        known["dates"] = [str(user.date_joined), str(user.last_login)]
        known["groups"] = sorted(user.groups.values_list("pk", "name"))
        known["permissions"] = sorted(user.get_all_permissions())
        return known

    def natural(permissions):
        return sorted(permission.natural_key() for permission in permissions.all())

    groups = [[group.pk, group.name, natural(group.permissions)] for group in Group.objects.all()]
    users = [of(user) for user in User.objects.order_by("pk")]
    print(json.dumps({"groups": sorted(groups), "users": users}, indent=1))


if sys.argv[2] == "fill":
    fill()
elif sys.argv[2] == "facts":
    facts()
else:
    call_command(*sys.argv[2:])
