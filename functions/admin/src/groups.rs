//! Groups.

use std::collections::BTreeSet;

use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    app::App,
    domain::{Group, GroupId, Permission, User},
    error::{ApiError, FieldErrors},
    forms::GroupInput,
    http::authority::may_add,
    store::listing::MemberCursor,
};

use crate::{
    error::{AdminError, of_form},
    form::{Choice, Fieldset, Filled, FormPage, Related, save_buttons},
    object::{self, saved, search_of},
    page::{Link, ListRow, Page, Section, shown},
    posted::Posted,
    staff::{Segment, Staff},
    text::counted,
};

const SECTION: Section = Section::Groups;
/// How many members the page of a group names.
const MEMBERS: usize = 20;

pub async fn list(
    staff: Staff,
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AdminError> {
    staff.must_view("group")?;
    let search = search_of(query);
    let wanted = search.to_lowercase();
    let mut groups = app.store.groups().await?;
    groups.retain(|group| group.name.as_str().to_lowercase().contains(&wanted));
    groups.sort_by_cached_key(|group| group.name.as_str().to_lowercase());
    let row = |group: &Group| ListRow {
        url: SECTION.object_url(group.id.0, "change"),
        first: group.name.as_str().to_owned(),
        rest: vec![group.permission_ids.len().to_string()],
    };
    let rows = groups.iter().map(row).collect();
    let columns = vec!["Name", "Permissions"];
    Ok(object::list(&staff, SECTION, search, columns, rows))
}

async fn found(app: &App, id: &str) -> Result<Group, AdminError> {
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    let group = app.store.group(GroupId(id)).await?;
    group.ok_or_else(|| ApiError::NotFound.into())
}

pub async fn ask_to_add(staff: Staff, State(app): State<App>) -> Result<Response, AdminError> {
    staff.must("auth.add_group")?;
    let permissions = app.store.permissions().await?;
    Ok(form(
        &staff,
        None,
        &permissions,
        Related::default(),
        None,
        &FieldErrors::default(),
    ))
}

pub async fn add(
    staff: Staff,
    State(app): State<App>,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must("auth.add_group")?;
    let permissions = app.store.permissions().await?;
    match make(&app, &staff, &posted, &permissions).await {
        Ok(group) => {
            let (which, name) = ((SECTION, group.id.0), group.name.as_str());
            Ok(saved(&app, &staff, &posted, which, name, "added").await)
        }
        Err(error) => {
            let errors = of_form(error)?;
            Ok(form(
                &staff,
                None,
                &permissions,
                Related::default(),
                Some(&posted),
                &errors,
            ))
        }
    }
}

async fn make(
    app: &App,
    staff: &Staff,
    posted: &Posted,
    permissions: &[Permission],
) -> Result<Group, ApiError> {
    // Field errors come first.
    let name = GroupInput::read_name(posted.fields(false)?)?;
    let chosen = posted.chosen("permissions", permissions, |permission| permission.id.0)?;
    may_add(
        &app.store,
        &staff.user,
        &BTreeSet::new(),
        chosen.iter().copied(),
    )
    .await?;
    let ids = chosen.iter().map(|permission| permission.id).collect();
    Ok(app
        .store
        .create_group_with(name, ids, staff.actor())
        .await?)
}

pub async fn ask_to_change(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    staff.must_view("group")?;
    change_form(&app, &staff, &id, None, &FieldErrors::default()).await
}

async fn change_form(
    app: &App,
    staff: &Staff,
    id: &str,
    posted: Option<&Posted>,
    errors: &FieldErrors,
) -> Result<Response, AdminError> {
    let number = GroupId(id.parse().map_err(|_| ApiError::NotFound)?);
    let others = async {
        let members = members(app, staff, number);
        let both = tokio::try_join!(app.store.permissions(), members);
        both.map_err(AdminError::from)
    };
    let (group, (permissions, members)) = tokio::try_join!(found(app, id), others)?;
    Ok(form(
        staff,
        Some(&group),
        &permissions,
        members,
        posted,
        errors,
    ))
}

pub async fn change(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must("auth.change_group")?;
    let group = found(&app, &id).await?;
    match save(&app, &staff, &posted, group).await {
        Ok(group) => {
            let (which, name) = ((SECTION, group.id.0), group.name.as_str());
            Ok(saved(&app, &staff, &posted, which, name, "changed").await)
        }
        Err(error) => change_form(&app, &staff, &id, Some(&posted), &of_form(error)?).await,
    }
}

async fn save(app: &App, staff: &Staff, posted: &Posted, group: Group) -> Result<Group, ApiError> {
    // An empty list of a form that is not partial is one that was emptied.
    let input = GroupInput::read(app, posted.fields(false)?, &group).await?;
    let (input, store, who) = (&input, &app.store, &staff.user);
    let judge = |group: Group| async move {
        may_add(store, who, &group.permission_ids, input.permissions()).await
    };
    let change = |group: &Group| Ok::<_, ApiError>(input.apply(group));
    Ok(store
        .update_group(group, staff.actor(), judge, change)
        .await?)
}

/// Its first members, for whoever may see users.
async fn members(
    app: &App,
    staff: &Staff,
    group: GroupId,
) -> Result<Related, shared::store::StoreError> {
    if !staff.can_view("user") {
        return Ok(Related::default());
    }
    let none: Option<MemberCursor> = None;
    let (members, _) = app.store.member_page(group, none, MEMBERS).await?;
    let link = |user: &User| {
        let url = Section::Users.object_url(user.id.0, "change");
        Link::new(user.username.as_str(), url)
    };
    Ok(Related {
        title: "Members",
        has_links: !members.is_empty(),
        links: members.iter().map(link).collect(),
        all_url: format!("{}?groups__id__exact={group}", Section::Users.url()),
        all_label: "All members, to add and remove",
        empty: "This group has no members.",
    })
}

fn form(
    staff: &Staff,
    group: Option<&Group>,
    permissions: &[Permission],
    related: Related,
    posted: Option<&Posted>,
    errors: &FieldErrors,
) -> Response {
    let filled = Filled { posted, errors };
    let may_change = group.is_none() || staff.can("auth.change_group");
    let held = |permission: &Permission| {
        group.is_some_and(|group| group.permission_ids.contains(&permission.id))
    };
    let sent = posted.map(|posted| posted.ids("permissions"));
    // What it gives, and of the rest what the caller holds himself: nobody hands out more.
    let offered = permissions
        .iter()
        .filter(|one| held(one) || staff.can(&one.label()));
    let choices = Choice::permissions(offered, |permission| match &sent {
        Some(ids) => ids.contains(&permission.id.0),
        None => held(permission),
    });
    let mut name = filled.text(
        "name",
        "Name",
        group.map_or("", |group| group.name.as_str()),
    );
    (name.required, name.autocomplete, name.disabled) = (true, "off", !may_change);
    let mut permissions = filled.selector("permissions", "Permissions", "", choices);
    permissions.disabled = !may_change;
    let submit = if may_change {
        save_buttons(staff, SECTION)
    } else {
        Vec::new()
    };
    let (title, crumb) = match group {
        None => ("Add group".to_owned(), "Add group"),
        Some(group) => {
            let verb = if may_change { "Change" } else { "View" };
            (
                format!("{verb} group: {}", group.name.as_str()),
                group.name.as_str(),
            )
        }
    };
    let url = |page| group.map(|group| SECTION.object_url(group.id.0, page));
    let may_delete = staff.can("auth.delete_group");
    shown(
        staff,
        &FormPage {
            page: Page::in_section(staff, SECTION, title, [Link::new(crumb, "")]),
            action_url: url("change").unwrap_or_else(|| SECTION.add_url(staff)),
            has_errors: !errors.is_empty(),
            form_errors: filled.form_errors(),
            fieldsets: vec![Fieldset {
                legend: "",
                description: "",
                fields: vec![name, permissions],
            }],
            tools: url("history")
                .map(|url| Link::new("History", url))
                .into_iter()
                .collect(),
            has_submit: !submit.is_empty(),
            submit,
            delete_url: url("delete").filter(|_| may_delete).unwrap_or_default(),
            related,
        },
    )
}

pub async fn ask_to_delete(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    staff.must("auth.delete_group")?;
    let group = found(&app, &id).await?;
    let given = counted(group.permission_ids.len(), "permission");
    let notes = vec![format!(
        "Its members lose the {given} that only it gives them."
    )];
    let (id, name) = (group.id.0, group.name.as_str());
    Ok(object::ask_to_delete(&staff, SECTION, id, name, notes))
}

pub async fn delete(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    _: Posted,
) -> Result<Response, AdminError> {
    staff.must("auth.delete_group")?;
    let group = found(&app, &id).await?;
    let name = group.name.as_str().to_owned();
    app.store.delete_group(group, staff.actor()).await?;
    Ok(object::deleted(&app, &staff, SECTION, &name).await)
}
