//! The pages that every model has, made from its description.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    app::App,
    domain::{Words, log_entry::Model},
    http::ApiError,
    web::messages::Message,
};

use crate::{
    error::{AdminError, of_input},
    model_admin::{
        AfterAddition, FormKind, FormPage, ModelAdmin, ObjectForm, Panel, Rights, WholeList,
    },
    page::{Confirmation, Link, Page, Weight, redirect_with, shown},
    posted::Posted,
    staff::{Action, Segment, Staff, allowed},
    text::counted,
    urls,
    widgets::{Bound, Button},
};

/// `list.html`
#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    page: Page,
    search: String,
    model: Model,
    add_url: Option<String>,
    columns: &'static [&'static str],
    rows: Vec<Row>,
    count: String,
    previous_url: Option<String>,
    next_url: Option<String>,
}

/// Objects on a page of a list: Django's `list_per_page`.
const SIZE: usize = 100;

struct Row {
    url: String,
    cells: Vec<String>,
}

/// `Select user to change`, or `… to view` for users who may not change.
pub fn list_title(staff: &Staff, model: Model) -> String {
    let may_change = staff.can(Action::Change, model);
    let what = if may_change { "change" } else { "view" };
    format!("Select {model} to {what}")
}

/// The object that a path names.
pub async fn found<M: ModelAdmin>(app: &App, id: &str) -> Result<M, AdminError> {
    let id = id.parse().map_err(|_| ApiError::NotFound)?;
    let object = M::find(app, id).await?;
    object.ok_or_else(|| ApiError::NotFound.into())
}

pub async fn list<M: WholeList>(
    staff: Staff,
    State(app): State<App>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, AdminError> {
    staff.must(Action::View, M::MODEL)?;
    let asked = |name: &str| query.iter().rfind(|(known, _)| known == name);
    let search = asked("q").map_or("", |(_, text)| text.trim()).to_owned();
    let words = Words::of(&search);
    let mut found = M::all(&app).await?;
    found.retain(|object| {
        let texts = object.searched();
        words.are_in(&texts.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let (count, pages) = (found.len(), found.len().div_ceil(SIZE).max(1));
    // A number that no page has is the first or the last.
    let number = asked("p").and_then(|(_, number)| number.parse().ok());
    let number: usize = number.unwrap_or(1).clamp(1, pages);
    let url = |number: usize| {
        let query = [("q", search.clone()), ("p", number.to_string())];
        let query = query.into_iter().filter(|(_, value)| !value.is_empty());
        let mut text = form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(query);
        format!("{}?{}", urls::list(M::MODEL), text.finish())
    };
    let row = |object: M| Row {
        url: urls::object(M::MODEL, object.id(), "change"),
        cells: object.cells(),
    };
    let found = found.into_iter().skip((number - 1) * SIZE).take(SIZE);
    let rows: Vec<Row> = found.map(row).collect();
    let name = M::MODEL.name();
    let count = match rows.len() {
        all if all == count => counted(count, name),
        some => format!("{some} of {}", counted(count, name)),
    };
    let page = ListPage {
        page: Page::of_model(&staff, M::MODEL, list_title(&staff, M::MODEL), []),
        model: M::MODEL,
        add_url: staff.add_url(M::MODEL),
        columns: M::COLUMNS,
        count,
        rows,
        previous_url: (number > 1).then(|| url(number - 1)),
        next_url: (number < pages).then(|| url(number + 1)),
        search: search.clone(),
    };
    Ok(shown(&staff, &page))
}

pub async fn ask_to_add<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
) -> Result<Response, AdminError> {
    staff.must(Action::Add, M::MODEL)?;
    let offered = M::offered(&app, FormKind::Addition).await?;
    Ok(ObjectForm::<M>::that_adds(&staff, Bound::default(), &offered).shown(None))
}

pub async fn add<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must(Action::Add, M::MODEL)?;
    let offered = M::offered(&app, FormKind::Addition).await?;
    match M::add(&app, &staff, &posted, &offered).await {
        Ok(object) => Ok(saved(&app, &staff, &posted, &object, Done::Added).await),
        Err(refused) => {
            let bound = Bound::again(&posted, of_input(refused)?);
            Ok(ObjectForm::<M>::that_adds(&staff, bound, &offered).shown(None))
        }
    }
}

pub async fn ask_to_change<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    staff.must(Action::View, M::MODEL)?;
    let others = async {
        let id = id.parse().map_err(|_| ApiError::NotFound)?;
        let offered = M::offered(&app, FormKind::Change(id));
        Ok(tokio::try_join!(offered, M::panel(&app, &staff, id))?)
    };
    let (object, (offered, panel)) = tokio::try_join!(found::<M>(&app, &id), others)?;
    change_form(&app, &staff, Bound::default(), &object, &offered, panel).await
}

pub async fn change<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must(Action::Change, M::MODEL)?;
    let offered = async {
        let id = id.parse().map_err(|_| ApiError::NotFound)?;
        Ok(M::offered(&app, FormKind::Change(id)).await?)
    };
    let (object, offered) = tokio::try_join!(found::<M>(&app, &id), offered)?;
    allowed(object.is_open_to(&staff))?;
    match object.clone().change(&app, &staff, &posted, &offered).await {
        Ok(object) => Ok(saved(&app, &staff, &posted, &object, Done::Changed).await),
        Err(refused) => {
            let bound = Bound::again(&posted, of_input(refused)?);
            let panel = M::panel(&app, &staff, object.id()).await?;
            change_form(&app, &staff, bound, &object, &offered, panel).await
        }
    }
}

async fn change_form<M: ModelAdmin>(
    app: &App,
    staff: &Staff,
    bound: Bound<'_>,
    object: &M,
    offered: &M::Offered,
    panel: Option<Panel>,
) -> Result<Response, AdminError> {
    let decide = object.is_decided_by(app, staff).await?;
    let form = ObjectForm {
        staff,
        bound,
        object: Some(object),
        offered,
        rights: Rights {
            change: staff.can(Action::Change, M::MODEL) && object.is_open_to(staff),
            decide,
        },
    };
    Ok(form.shown(panel))
}

impl<'a, M: ModelAdmin> ObjectForm<'a, M> {
    fn that_adds(staff: &'a Staff, bound: Bound<'a>, offered: &'a M::Offered) -> Self {
        Self {
            staff,
            bound,
            object: None,
            offered,
            rights: Rights {
                change: true,
                decide: true,
            },
        }
    }

    fn shown(&self, panel: Option<Panel>) -> Response {
        let (staff, model, rights) = (self.staff, M::MODEL, self.rights);
        let verb = if rights.change { "Change" } else { "View" };
        let (title, crumb) = match self.object.map(M::heading) {
            None => (format!("Add {model}"), format!("Add {model}")),
            Some(name) => (format!("{verb} {model}: {name}"), name),
        };
        let url = |page| Some(urls::object(model, self.object?.id(), page));
        let tools = self.object.map(|object| object.tools(rights, self.offered));
        let mut tools = tools.unwrap_or_default();
        tools.extend(url("history").map(|url| Link::new("History", url)));
        let may_delete = staff.can(Action::Delete, model) && rights.decide;
        let page = FormPage {
            page: Page::of_model(staff, model, title, [Link::new(crumb, "")]),
            action_url: url("change").unwrap_or_else(|| urls::add(model)),
            errors: self.bound.form_errors(),
            fieldsets: M::fieldsets(self),
            tools,
            submit: if rights.change {
                save_buttons(staff, model)
            } else {
                Vec::new()
            },
            delete_url: url("delete").filter(|_| may_delete),
            panel: self
                .object
                .zip(panel)
                .and_then(|(object, panel)| object.opened(panel, rights)),
        };
        shown(staff, &page)
    }
}

/// The ways to save that lead where the user may go.
fn save_buttons(staff: &Staff, model: Model) -> Vec<Button> {
    let button = |name, label| Button { name, label };
    let another = staff.can(Action::Add, model);
    let proceed = staff.can(Action::View, model);
    [
        Some(button("_save", "Save")),
        another.then(|| button("_addanother", "Save and add another")),
        proceed.then(|| button("_continue", "Save and continue editing")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What was done with a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Added,
    Changed,
}

/// Where the button leads that a form was saved with, and what is told there.
async fn saved<M: ModelAdmin>(
    app: &App,
    staff: &Staff,
    posted: &Posted,
    object: &M,
    done: Done,
) -> Response {
    let model = M::MODEL;
    let verb = match done {
        Done::Added => "added",
        Done::Changed => "changed",
    };
    let mut told = format!("The {model} “{}” was {verb} successfully.", object.repr());
    let another = staff.add_url(model).filter(|_| posted.has("_addanother"));
    let leads_on = done == Done::Added && M::AFTER_ADDITION == AfterAddition::Object;
    let to = if let Some(url) = another {
        told += &format!(" You may add another {model} below.");
        url
    } else if (posted.has("_continue") || leads_on) && staff.can(Action::View, model) {
        if staff.can(Action::Change, model) {
            told += " You may edit it again below.";
        }
        urls::object(model, object.id(), "change")
    } else {
        home(staff, model)
    };
    redirect_with(app, staff, &to, &[Message::success(told)]).await
}

pub async fn ask_to_delete<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    let model = M::MODEL;
    staff.must(Action::Delete, model)?;
    let object = found::<M>(&app, &id).await?;
    allowed(object.is_decided_by(&app, &staff).await?)?;
    let (name, url) = (object.repr(), urls::object(model, object.id(), "change"));
    let crumbs = [
        Link::new(name.as_str(), url.as_str()),
        Link::new("Delete", ""),
    ];
    let page = Confirmation {
        page: Page::of_model(&staff, model, "Are you sure?", crumbs),
        lead: format!("Are you sure you want to delete the {model} “{name}”?"),
        items: Vec::new(),
        notes: object.deletion_notes(),
        hidden: vec![("post", "yes".to_owned())],
        action_url: urls::object(model, object.id(), "delete"),
        weight: Weight::Dangerous,
        cancel_url: url,
    };
    Ok(shown(&staff, &page))
}

pub async fn delete<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    _: Posted,
) -> Result<Response, AdminError> {
    let model = M::MODEL;
    staff.must(Action::Delete, model)?;
    let object = found::<M>(&app, &id).await?;
    let told = format!("The {model} “{}” was deleted successfully.", object.repr());
    object.delete(&app, &staff).await?;
    let to = home(&staff, model);
    Ok(redirect_with(&app, &staff, &to, &[Message::success(told)]).await)
}

/// A model's list, or the front page for users who may not look at it.
fn home(staff: &Staff, model: Model) -> String {
    staff
        .list_url(model)
        .unwrap_or_else(|| urls::HOME.to_owned())
}
