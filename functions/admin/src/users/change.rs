//! Changing a user: profile, flags, groups and permissions.

use axum::{extract::State, response::Response};
use shared::{
    app::App,
    domain::{Group, Permission, User},
    error::{ApiError, FieldErrors},
};

use super::{decides_over, found, input::UserInput};
use crate::{
    error::{AdminError, of_form},
    form::{Choice, Fieldset, Filled, FormPage, Related, save_buttons},
    object::saved,
    page::{Link, Page, Section, shown},
    posted::Posted,
    staff::{Segment, Staff},
    text::local,
};

/// A user and all that he may be given.
struct Subject {
    user: User,
    groups: Vec<Group>,
    permissions: Vec<Permission>,
}

impl Subject {
    async fn read(app: &App, id: &str) -> Result<Self, AdminError> {
        let others = async {
            let both = tokio::try_join!(app.store.groups(), app.store.permissions());
            both.map_err(AdminError::from)
        };
        let (user, (groups, permissions)) = tokio::try_join!(found(app, id), others)?;
        Ok(Self {
            user,
            groups,
            permissions,
        })
    }
}

pub async fn ask(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    staff.must_view("user")?;
    let subject = Subject::read(&app, &id).await?;
    Ok(form(&staff, &subject, None, &FieldErrors::default()))
}

pub async fn change(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must("auth.change_user")?;
    let subject = Subject::read(&app, &id).await?;
    if !may_change(&staff, &subject.user) {
        return Err(ApiError::PermissionDenied.into());
    }
    let user = match save(&app, &staff, &subject, &posted).await {
        Ok(user) => user,
        Err(error) => return Ok(form(&staff, &subject, Some(&posted), &of_form(error)?)),
    };
    let (which, name) = ((Section::Users, user.id.0), user.username.as_str());
    Ok(saved(&app, &staff, &posted, which, name, "changed").await)
}

async fn save(
    app: &App,
    staff: &Staff,
    subject: &Subject,
    posted: &Posted,
) -> Result<User, ApiError> {
    let Subject {
        user,
        groups,
        permissions,
    } = subject;
    let input = UserInput::read(app, staff, posted, user, groups, permissions).await?;
    let (input, caller) = (&input, &staff.user);
    let judge = |user: User| async move { input.judge(app, caller, &user).await };
    let change = |user: &User| Ok::<_, ApiError>(input.apply(user));
    let saved = app
        .store
        .update_user(user.clone(), staff.actor(), judge, change);
    Ok(saved.await?)
}

/// Only a superuser changes a superuser.
fn may_change(staff: &Staff, user: &User) -> bool {
    staff.can("auth.change_user") && (staff.user.is_superuser || !user.is_superuser)
}

fn form(
    staff: &Staff,
    subject: &Subject,
    posted: Option<&Posted>,
    errors: &FieldErrors,
) -> Response {
    let Subject {
        user,
        groups,
        permissions,
    } = subject;
    let (id, name) = (user.id.0, user.username.as_str());
    let filled = Filled { posted, errors };
    let may_change = may_change(staff, user);
    let decides = decides_over(staff, user, groups, permissions);
    let title = if may_change {
        "Change user"
    } else {
        "View user"
    };
    let mut tools = Vec::new();
    if may_change && decides {
        tools.push(Link::new(
            "Set password",
            Section::Users.object_url(id, "password"),
        ));
    }
    tools.push(Link::new(
        "History",
        Section::Users.object_url(id, "history"),
    ));
    let submit = if may_change {
        save_buttons(staff, Section::Users)
    } else {
        Vec::new()
    };
    let may_delete = staff.can("auth.delete_user") && decides;
    let page = FormPage {
        page: Page::in_section(
            staff,
            Section::Users,
            format!("{title}: {name}"),
            [Link::new(name, "")],
        ),
        action_url: Section::Users.object_url(id, "change"),
        has_errors: !errors.is_empty(),
        form_errors: filled.form_errors(),
        fieldsets: vec![
            names(&filled, user, may_change && decides, may_change),
            flags(&filled, staff, user, may_change && decides),
            access(&filled, staff, subject, may_change),
            dates(&filled, user, may_change && decides),
        ],
        tools,
        has_submit: !submit.is_empty(),
        submit,
        delete_url: if may_delete {
            Section::Users.object_url(id, "delete")
        } else {
            String::new()
        },
        related: Related::default(),
    };
    shown(staff, &page)
}

fn names(filled: &Filled<'_>, user: &User, decides: bool, may_change: bool) -> Fieldset {
    let mut username = filled.text("username", "Username", user.username.as_str());
    username.required = true;
    username.help = "Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.";
    username.disabled = !decides;
    let mut first = filled.text("first_name", "First name", user.first_name.as_str());
    let mut last = filled.text("last_name", "Last name", user.last_name.as_str());
    (first.disabled, last.disabled) = (!may_change, !may_change);
    let mut email = filled.text("email", "Email address", user.email.as_str());
    email.kind = "email";
    email.disabled = !decides;
    for field in [&mut username, &mut first, &mut last, &mut email] {
        // It is somebody else's data: the browser's owner has nothing to fill in.
        field.autocomplete = "off";
    }
    Fieldset {
        legend: "Personal info",
        description: "",
        fields: vec![username, first, last, email],
    }
}

fn flags(filled: &Filled<'_>, staff: &Staff, user: &User, decides: bool) -> Fieldset {
    let mut active = filled.check_box(
        "is_active",
        "Active",
        "Whether this user may log in. Unselect this instead of deleting accounts.",
        user.is_active,
    );
    active.disabled = !decides;
    let mut is_staff = filled.check_box(
        "is_staff",
        "Staff status",
        "Whether the user can log into this admin site, and is an admin of the API.",
        user.is_staff,
    );
    let mut superuser = filled.check_box(
        "is_superuser",
        "Superuser status",
        "Whether this user has all permissions without explicitly assigning them.",
        user.is_superuser,
    );
    let by_superuser = !staff.user.is_superuser;
    (is_staff.disabled, superuser.disabled) = (by_superuser, by_superuser);
    Fieldset {
        legend: "Status",
        description: "",
        fields: vec![active, is_staff, superuser],
    }
}

/// What he holds, and of the rest what the caller holds himself: nobody hands out more.
fn access(filled: &Filled<'_>, staff: &Staff, subject: &Subject, may_change: bool) -> Fieldset {
    let Subject {
        user,
        groups,
        permissions,
    } = subject;
    let label_of = |id| {
        let one = permissions.iter().find(|permission| permission.id == id);
        one.map(Permission::label)
    };
    let gives_no_more = |group: &Group| {
        let labels: Vec<String> = group
            .permission_ids
            .iter()
            .copied()
            .filter_map(label_of)
            .collect();
        staff.held.covers(&labels)
    };
    let offered_groups = groups
        .iter()
        .filter(|group| user.group_ids.contains(&group.id) || gives_no_more(group));
    let offered = permissions.iter().filter(|permission| {
        user.permission_ids.contains(&permission.id) || staff.can(&permission.label())
    });
    let sent = |field| filled.posted.map(|posted| posted.ids(field));
    let (sent_groups, sent_permissions) = (sent("groups"), sent("user_permissions"));
    let groups = Choice::groups(offered_groups, |group| match &sent_groups {
        Some(ids) => ids.contains(&group.id.0),
        None => user.group_ids.contains(&group.id),
    });
    let permissions = Choice::permissions(offered, |permission| match &sent_permissions {
        Some(ids) => ids.contains(&permission.id.0),
        None => user.permission_ids.contains(&permission.id),
    });
    let mut groups = filled.selector(
        "groups",
        "Groups",
        "The groups this user belongs to. A user will get all permissions granted to each of \
         their groups.",
        groups,
    );
    let mut permissions = filled.selector(
        "user_permissions",
        "User permissions",
        "Specific permissions for this user.",
        permissions,
    );
    (groups.disabled, permissions.disabled) = (!may_change, !may_change);
    Fieldset {
        legend: "Permissions",
        description: "",
        fields: vec![groups, permissions],
    }
}

fn dates(filled: &Filled<'_>, user: &User, decides: bool) -> Fieldset {
    let date = |name, label, time: Option<i64>| {
        let mut field = filled.text(name, label, &time.map(local).unwrap_or_default());
        (field.kind, field.help, field.disabled) = ("datetime-local", "In UTC.", !decides);
        field
    };
    let last_login = date("last_login", "Last login", user.last_login);
    let mut date_joined = date("date_joined", "Date joined", Some(user.date_joined));
    date_joined.required = true;
    Fieldset {
        legend: "Important dates",
        description: "",
        fields: vec![last_login, date_joined],
    }
}
