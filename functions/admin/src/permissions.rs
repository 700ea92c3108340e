//! Permissions.

use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    app::App,
    domain::{ContentType, Permission, PermissionId},
    error::{ApiError, FieldErrors},
    forms::PermissionInput,
};

use crate::{
    error::{AdminError, of_form},
    form::{Choice, Fieldset, Filled, FormPage, Related, save_buttons},
    object::{self, saved, search_of},
    page::{Link, ListRow, Page, Section, shown},
    posted::Posted,
    staff::{Segment, Staff},
};

const SECTION: Section = Section::Permissions;

pub async fn list(
    staff: Staff,
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AdminError> {
    staff.must_view("permission")?;
    let search = search_of(query);
    let wanted = search.to_lowercase();
    let mut permissions = app.store.permissions().await?;
    permissions.retain(|permission| {
        let text = format!("{} {}", permission.name.as_str(), permission.label());
        text.to_lowercase().contains(&wanted)
    });
    let row = |permission: &Permission| ListRow {
        url: SECTION.object_url(permission.id.0, "change"),
        first: permission.name.as_str().to_owned(),
        rest: vec![
            permission.content_type.to_string(),
            permission.codename.as_str().to_owned(),
        ],
    };
    let rows = permissions.iter().map(row).collect();
    let columns = vec!["Name", "Content type", "Codename"];
    Ok(object::list(&staff, SECTION, search, columns, rows))
}

async fn found(app: &App, id: &str) -> Result<Permission, AdminError> {
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    let permission = app.store.permission(PermissionId(id)).await?;
    permission.ok_or_else(|| ApiError::NotFound.into())
}

pub async fn ask_to_add(staff: Staff, State(app): State<App>) -> Result<Response, AdminError> {
    staff.must("auth.add_permission")?;
    let types = app.store.content_types().await?;
    Ok(form(&staff, None, &types, None, &FieldErrors::default()))
}

pub async fn add(
    staff: Staff,
    State(app): State<App>,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must("auth.add_permission")?;
    match make(&app, &staff, &posted).await {
        Ok(permission) => {
            let (which, name) = ((SECTION, permission.id.0), permission.title());
            Ok(saved(&app, &staff, &posted, which, &name, "added").await)
        }
        Err(error) => {
            let types = app.store.content_types().await?;
            Ok(form(&staff, None, &types, Some(&posted), &of_form(error)?))
        }
    }
}

async fn make(app: &App, staff: &Staff, posted: &Posted) -> Result<Permission, ApiError> {
    let input = PermissionInput::read(app, posted.fields(false)?).await?;
    input.may_be_made(app, &staff.user).await?;
    let (name, codename, content_type) = input.into_new()?;
    let made = app
        .store
        .create_permission(name, codename, content_type, staff.actor());
    Ok(made.await?)
}

pub async fn ask_to_change(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    staff.must_view("permission")?;
    change_form(&app, &staff, &id, None, &FieldErrors::default()).await
}

async fn change_form(
    app: &App,
    staff: &Staff,
    id: &str,
    posted: Option<&Posted>,
    errors: &FieldErrors,
) -> Result<Response, AdminError> {
    let types = async { app.store.content_types().await.map_err(AdminError::from) };
    let (permission, types) = tokio::try_join!(found(app, id), types)?;
    Ok(form(staff, Some(&permission), &types, posted, errors))
}

pub async fn change(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must("auth.change_permission")?;
    let permission = found(&app, &id).await?;
    match save(&app, &staff, &posted, permission).await {
        Ok(permission) => {
            let (which, name) = ((SECTION, permission.id.0), permission.title());
            Ok(saved(&app, &staff, &posted, which, &name, "changed").await)
        }
        Err(error) => change_form(&app, &staff, &id, Some(&posted), &of_form(error)?).await,
    }
}

async fn save(
    app: &App,
    staff: &Staff,
    posted: &Posted,
    permission: Permission,
) -> Result<Permission, ApiError> {
    let input = PermissionInput::read(app, posted.fields(false)?).await?;
    let (input, who) = (&input, &staff.user);
    let judge =
        |permission: Permission| async move { input.may_change(app, who, &permission).await };
    let change = |permission: &Permission| Ok::<_, ApiError>(input.apply(permission));
    let saved = app
        .store
        .update_permission(permission, staff.actor(), judge, change);
    Ok(saved.await?)
}

fn form(
    staff: &Staff,
    permission: Option<&Permission>,
    types: &[ContentType],
    posted: Option<&Posted>,
    errors: &FieldErrors,
) -> Response {
    let filled = Filled { posted, errors };
    let may_change = permission.is_none() || staff.can("auth.change_permission");
    let mut name = filled.text(
        "name",
        "Name",
        permission.map_or("", |permission| permission.name.as_str()),
    );
    name.help = "For people: Can publish articles";
    let mut codename = filled.text(
        "codename",
        "Codename",
        permission.map_or("", |permission| permission.codename.as_str()),
    );
    codename.help = "For programs: publish_article";
    let there = permission.map(|permission| permission.content_type.to_string());
    let chosen = match posted {
        Some(posted) => posted.text("content_type").to_owned(),
        None => there.unwrap_or_default(),
    };
    let mut choices = vec![Choice::new("", "---------", chosen.is_empty())];
    choices.extend(types.iter().map(|one| {
        let value = one.to_string();
        let label = format!("{} | {}", one.app_label, one.model);
        let selected = value == chosen;
        Choice::new(value, label, selected)
    }));
    let mut content_type = filled.select("content_type", "Content type", choices);
    for field in [&mut name, &mut content_type, &mut codename] {
        (field.required, field.disabled) = (true, !may_change);
        field.autocomplete = "off";
    }
    let submit = if may_change {
        save_buttons(staff, SECTION)
    } else {
        Vec::new()
    };
    let (title, crumb) = match permission {
        None => ("Add permission".to_owned(), "Add permission".to_owned()),
        Some(permission) => {
            let verb = if may_change { "Change" } else { "View" };
            let name = permission.name.as_str();
            (format!("{verb} permission: {name}"), name.to_owned())
        }
    };
    let url = |page| permission.map(|one| SECTION.object_url(one.id.0, page));
    let may_delete = staff.can("auth.delete_permission");
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
                fields: vec![name, content_type, codename],
            }],
            tools: url("history")
                .map(|url| Link::new("History", url))
                .into_iter()
                .collect(),
            has_submit: !submit.is_empty(),
            submit,
            delete_url: url("delete").filter(|_| may_delete).unwrap_or_default(),
            related: Related::default(),
        },
    )
}

pub async fn ask_to_delete(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    staff.must("auth.delete_permission")?;
    let permission = found(&app, &id).await?;
    let notes = vec!["Every user and group that holds it loses it.".to_owned()];
    let (id, name) = (permission.id.0, permission.title());
    Ok(object::ask_to_delete(&staff, SECTION, id, &name, notes))
}

pub async fn delete(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    _: Posted,
) -> Result<Response, AdminError> {
    staff.must("auth.delete_permission")?;
    let permission = found(&app, &id).await?;
    let name = permission.title();
    let deleted = app.store.delete_permission(permission, staff.actor());
    deleted.await?;
    Ok(object::deleted(&app, &staff, SECTION, &name).await)
}
