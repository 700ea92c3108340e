//! The pages that every model has, as Django's `ModelAdmin` makes them from a description.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use shared::{
    accounts::Refused, app::App, domain::log_entry::Model, http::ApiError, store::StoreError,
    web::messages::Message,
};

use crate::{
    error::{AdminError, of_input},
    page::{Confirmation, Link, Page, Weight, redirect_with, shown},
    posted::Posted,
    staff::{Action, Segment, Staff, allowed},
    text::counted,
    urls,
    widgets::{Bound, Button, Fieldset},
};

/// A model as the pages show it.
pub trait ModelAdmin: Clone + Sized + Send + Sync + 'static {
    /// Which.
    const MODEL: Model;
    /// Where the button `Save` leads after an addition.
    const AFTER_ADDITION: AfterAddition = AfterAddition::List;

    /// What the form offers to choose from.
    type Offered: Send + Sync;

    /// The primary key.
    fn id(&self) -> u64;

    /// Django's `str()` of the object.
    fn repr(&self) -> String;

    /// What titles call it.
    fn heading(&self) -> String {
        self.repr()
    }

    /// The object with that id.
    fn find(app: &App, id: u64) -> impl Future<Output = Result<Option<Self>, StoreError>> + Send;

    /// What the form of an object, or the one that adds, offers.
    fn offered(
        app: &App,
        form: FormOf,
    ) -> impl Future<Output = Result<Self::Offered, StoreError>> + Send;

    /// The fields of the form that changes `object`, or that adds one.
    fn fieldsets(form: &Form<'_, Self>) -> Vec<Fieldset>;

    /// Adds what a form says.
    fn add(
        app: &App,
        staff: &Staff,
        posted: &Posted,
        offered: &Self::Offered,
    ) -> impl Future<Output = Result<Self, Refused>> + Send;

    /// Changes the object as a form says.
    fn change(
        self,
        app: &App,
        staff: &Staff,
        posted: &Posted,
        offered: &Self::Offered,
    ) -> impl Future<Output = Result<Self, Refused>> + Send;

    /// Deletes the object.
    fn delete(self, app: &App, staff: &Staff) -> impl Future<Output = Result<(), Refused>> + Send;

    /// What is said before a deletion.
    fn deletion_notes(&self) -> Vec<String>;

    /// Whether the user, if they may change objects of the model, may change this one.
    fn is_open_to(&self, _: &Staff) -> bool {
        true
    }

    /// Whether the user, if they may delete objects of the model, may delete this one.
    fn is_decided_by(
        &self,
        _: &App,
        _: &Staff,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send {
        async { Ok(true) }
    }

    /// What leads from the form of the object to more, beside its history.
    fn tools(&self, _: Rights) -> Vec<Link> {
        Vec::new()
    }

    /// What is shown below the form of the object.
    fn panel(
        &self,
        _: &App,
        _: &Staff,
    ) -> impl Future<Output = Result<Option<LinkPanel>, StoreError>> + Send {
        async { Ok(None) }
    }
}

/// A model whose list shows all objects.
pub trait WholeList: ModelAdmin {
    /// The columns; the first links to the object.
    const COLUMNS: &[&str];

    /// All objects, in order.
    fn all(app: &App) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;

    /// What a search looks in.
    fn searched(&self) -> String;

    /// The texts of the columns.
    fn cells(&self) -> Vec<String>;
}

/// Where `Save` leads after an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAddition {
    /// To the list.
    List,
    /// To the object's own form, which has more fields: Django's `UserAdmin`.
    Object,
}

/// Which form is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormOf {
    /// The one that adds.
    Addition,
    /// The one that changes.
    Change,
}

/// What the user may do with the object of a form.
#[derive(Clone, Copy)]
pub struct Rights {
    /// Whether they may change it.
    pub change: bool,
    /// Whether they decide over it: see [`ModelAdmin::is_decided_by`].
    pub decide: bool,
}

/// A form that is about to be shown.
pub struct Form<'a, M: ModelAdmin> {
    pub staff: &'a Staff,
    pub bound: Bound<'a>,
    /// None in the form that adds.
    pub object: Option<&'a M>,
    pub offered: &'a M::Offered,
    pub rights: Rights,
}

/// Links below a form.
pub struct LinkPanel {
    pub title: &'static str,
    pub links: Vec<Link>,
    pub empty: &'static str,
    pub all: Link,
}

/// `form.html`
#[derive(Template)]
#[template(path = "form.html")]
pub struct FormPage {
    pub page: Page,
    pub action_url: String,
    pub errors: Vec<String>,
    pub fieldsets: Vec<Fieldset>,
    pub tools: Vec<Link>,
    /// None where nothing can be changed.
    pub submit: Vec<Button>,
    pub delete_url: Option<String>,
    pub panel: Option<LinkPanel>,
}

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
}

struct Row {
    url: String,
    cells: Vec<String>,
}

/// `Select user to change`, or `… to view` for users who may not change.
pub fn list_title(staff: &Staff, model: Model) -> String {
    let what = match staff.can(Action::Change, model) {
        true => "change",
        false => "view",
    };
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
    let search = query.into_iter().find(|(name, _)| name == "q");
    let search = search.map_or_else(String::new, |(_, text)| text.trim().to_owned());
    let wanted = search.to_lowercase();
    let all = M::all(&app).await?.into_iter();
    let found = all.filter(|object| object.searched().to_lowercase().contains(&wanted));
    let row = |object: M| Row {
        url: urls::object(M::MODEL, object.id(), "change"),
        cells: object.cells(),
    };
    let rows: Vec<Row> = found.map(row).collect();
    let page = ListPage {
        page: Page::of_model(&staff, M::MODEL, list_title(&staff, M::MODEL), []),
        model: M::MODEL,
        add_url: staff.add_url(M::MODEL),
        columns: M::COLUMNS,
        count: counted(rows.len(), M::MODEL.name()),
        rows,
        search,
    };
    Ok(shown(&staff, &page))
}

pub async fn ask_to_add<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
) -> Result<Response, AdminError> {
    staff.must(Action::Add, M::MODEL)?;
    let offered = M::offered(&app, FormOf::Addition).await?;
    Ok(Form::<M>::that_adds(&staff, Bound::default(), &offered).shown(None))
}

pub async fn add<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must(Action::Add, M::MODEL)?;
    let offered = M::offered(&app, FormOf::Addition).await?;
    match M::add(&app, &staff, &posted, &offered).await {
        Ok(object) => Ok(saved(&app, &staff, &posted, &object, Done::Added).await),
        Err(refused) => {
            let bound = Bound::again(&posted, of_input(refused)?);
            Ok(Form::<M>::that_adds(&staff, bound, &offered).shown(None))
        }
    }
}

pub async fn ask_to_change<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
) -> Result<Response, AdminError> {
    staff.must(Action::View, M::MODEL)?;
    let (object, offered) = found_with_offered::<M>(&app, &id).await?;
    change_form(&app, &staff, Bound::default(), &object, &offered).await
}

pub async fn change<M: ModelAdmin>(
    staff: Staff,
    State(app): State<App>,
    Segment(id): Segment,
    posted: Posted,
) -> Result<Response, AdminError> {
    staff.must(Action::Change, M::MODEL)?;
    let (object, offered) = found_with_offered::<M>(&app, &id).await?;
    allowed(object.is_open_to(&staff))?;
    match object.clone().change(&app, &staff, &posted, &offered).await {
        Ok(object) => Ok(saved(&app, &staff, &posted, &object, Done::Changed).await),
        Err(refused) => {
            let bound = Bound::again(&posted, of_input(refused)?);
            change_form(&app, &staff, bound, &object, &offered).await
        }
    }
}

async fn found_with_offered<M: ModelAdmin>(
    app: &App,
    id: &str,
) -> Result<(M, M::Offered), AdminError> {
    let offered = async { Ok(M::offered(app, FormOf::Change).await?) };
    tokio::try_join!(found::<M>(app, id), offered)
}

async fn change_form<M: ModelAdmin>(
    app: &App,
    staff: &Staff,
    bound: Bound<'_>,
    object: &M,
    offered: &M::Offered,
) -> Result<Response, AdminError> {
    let (decide, panel) =
        tokio::try_join!(object.is_decided_by(app, staff), object.panel(app, staff))?;
    let form = Form {
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

impl<'a, M: ModelAdmin> Form<'a, M> {
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

    fn shown(&self, panel: Option<LinkPanel>) -> Response {
        let (staff, model, rights) = (self.staff, M::MODEL, self.rights);
        let (title, crumb) = match (self.object, rights.change) {
            (None, _) => (format!("Add {model}"), format!("Add {model}")),
            (Some(object), true) => (
                format!("Change {model}: {}", object.heading()),
                object.heading(),
            ),
            (Some(object), false) => (
                format!("View {model}: {}", object.heading()),
                object.heading(),
            ),
        };
        let url = |page| Some(urls::object(model, self.object?.id(), page));
        let tools = self
            .object
            .map(|object| object.tools(rights))
            .into_iter()
            .flatten();
        let history = url("history").map(|url| Link::new("History", url));
        let may_delete = staff.can(Action::Delete, model) && rights.decide;
        let page = FormPage {
            page: Page::of_model(staff, model, title, [Link::new(crumb, "")]),
            action_url: url("change").unwrap_or_else(|| urls::add(model)),
            errors: self.bound.form_errors(),
            fieldsets: M::fieldsets(self),
            tools: tools.chain(history).collect(),
            submit: if rights.change {
                save_buttons(staff, model)
            } else {
                Vec::new()
            },
            delete_url: url("delete").filter(|_| may_delete),
            panel,
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
