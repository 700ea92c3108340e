//! The fields of a user.

use shared::domain::{Group, GroupId, Permission, User};

use crate::{
    model_admin::ObjectForm,
    text::local,
    widgets::{Bound, Field, Fieldset, PASSWORD_HELP, offered_groups, offered_permissions},
};

const USERNAME_HELP: &str =
    "Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.";

/// The first of Django's two steps: a username and a password.
pub fn of_addition(bound: &Bound<'_>, invites: bool) -> Vec<Fieldset> {
    let mut all = vec![Fieldset {
        legend: "",
        description:
            "First, enter a username and password. Then, you’ll be able to edit more user \
                      options."
                .into(),
        fields: vec![
            username(bound, ""),
            bound.password("password1", "Password").help(PASSWORD_HELP),
            bound.password("password2", "Password confirmation"),
        ],
    }];
    if invites {
        all.push(Fieldset {
            legend: "By invitation",
            description: "Instead of a password: a mail with a link to choose one.".into(),
            fields: vec![
                bound.check_box("invite", "Send an invitation", false),
                bound.text("email", "Email address", "").kind("email"),
            ],
        });
    }
    all
}

fn username(bound: &Bound<'_>, value: &str) -> Field {
    bound
        .text("username", "Username", value)
        .required()
        .help(USERNAME_HELP)
}

/// The second step, and every change.
pub fn of_change(form: &ObjectForm<'_, User>, user: &User) -> Vec<Fieldset> {
    let fieldset = |legend, fields| Fieldset {
        legend,
        fields,
        ..Fieldset::default()
    };
    let mut personal = fieldset("Personal info", names(form, user));
    if let Some(email) = &user.pending_email {
        let address = email.as_str();
        personal.description =
            format!("A new address, {address}, waits for the link of a mail to it.").into();
    }
    let mut status = fieldset("Status", flags(form, user));
    if user.awaits_activation {
        status.description =
            "The account was never active: it waits for the link of a mail.".into();
    }
    let mut all = vec![
        personal,
        status,
        fieldset("Permissions", access(form, user)),
        fieldset("Important dates", dates(form, user)),
    ];
    if !user.extra.is_empty() {
        all.push(fieldset("Further fields", vec![extra(form, user)]));
    }
    all
}

/// What a custom user model of Django held beside these fields.
fn extra(form: &ObjectForm<'_, User>, user: &User) -> Field {
    let text = user.extra.to_string();
    form.bound
        .text("extra", "From Django", &text)
        .help("Fields of the user model of the site that this account came from.")
        .open_if(false)
}

/// Whether what the account is may be changed: see [`shared::accounts::rights`].
fn account(form: &ObjectForm<'_, User>) -> bool {
    form.rights.change && form.rights.decide
}

fn names(form: &ObjectForm<'_, User>, user: &User) -> Vec<Field> {
    let (bound, account, change) = (&form.bound, account(form), form.rights.change);
    let (first, last) = (user.first_name.as_str(), user.last_name.as_str());
    let username = username(bound, user.username.as_str()).open_if(account);
    // Django's words.
    let password = bound.text("password", "Password", "No password set.");
    let password = form.offered.lacks_password.then(|| password.open_if(false));
    let rest = [
        bound
            .text("first_name", "First name", first)
            .open_if(change),
        bound.text("last_name", "Last name", last).open_if(change),
        bound
            .text("email", "Email address", user.email.as_str())
            .kind("email")
            .open_if(account),
    ];
    let all = std::iter::once(username).chain(password);
    all.chain(rest).collect()
}

fn flags(form: &ObjectForm<'_, User>, user: &User) -> Vec<Field> {
    let flag = |name, label, value| form.bound.check_box(name, label, value);
    let by_superuser = form.staff.user.is_superuser;
    vec![
        flag("is_active", "Active", user.is_active)
            .help("Whether this user may log in. Unselect this instead of deleting accounts.")
            .open_if(account(form)),
        flag("is_staff", "Staff status", user.is_staff)
            .help("Whether the user can log into this admin site, and is an admin of the API.")
            .open_if(by_superuser),
        flag("is_superuser", "Superuser status", user.is_superuser)
            .help("Whether this user has all permissions without explicitly assigning them.")
            .open_if(by_superuser),
    ]
}

/// What they hold, and of the rest what the admin holds: nobody hands out more.
fn access(form: &ObjectForm<'_, User>, user: &User) -> Vec<Field> {
    let (groups, permissions) = (&form.offered.groups, &form.offered.permissions);
    let gives_no_more = |group: &Group| {
        let given = |one: &&Permission| group.permission_ids.contains(&one.id);
        let mut given = permissions.iter().filter(given);
        given.all(|one| form.staff.holds(&one.label()))
    };
    let is_in = |group: GroupId| user.group_ids.contains(&group);
    let offered = groups
        .iter()
        .filter(|group| is_in(group.id) || gives_no_more(group))
        .map(|group| (group.id, &group.name));
    let groups = offered_groups(offered, is_in);
    let permissions = offered_permissions(form.staff, permissions, &user.permission_ids);
    vec![
        form.bound
            .selector("groups", "Groups", groups)
            .help(
                "The groups this user belongs to. A user will get all permissions granted to each \
                 of their groups.",
            )
            .open_if(form.rights.change),
        form.bound
            .selector("user_permissions", "User permissions", permissions)
            .help("Specific permissions for this user.")
            .open_if(form.rights.change),
    ]
}

fn dates(form: &ObjectForm<'_, User>, user: &User) -> Vec<Field> {
    let date = |name, label, time: Option<i64>| {
        let value = time.map(local).unwrap_or_default();
        let field = form.bound.text(name, label, &value);
        field
            .kind("datetime-local")
            .help("In UTC.")
            .open_if(account(form))
    };
    vec![
        date("last_login", "Last login", user.last_login),
        date("date_joined", "Date joined", Some(user.date_joined)).required(),
    ]
}
