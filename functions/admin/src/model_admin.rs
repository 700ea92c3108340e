//! What the pages know of a model, as Django's `ModelAdmin` describes it.

use askama::Template;
use shared::{accounts::Refused, app::App, domain::log_entry::Model, store::StoreError};

use crate::{
    page::{Link, Page},
    posted::Posted,
    staff::Staff,
    users::sessions::SessionPanel,
    widgets::{Bound, Button, Fieldset},
};

/// A model as the pages show it.
pub trait ModelAdmin: Clone + Send + Sync + 'static {
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
        form: FormKind,
    ) -> impl Future<Output = Result<Self::Offered, StoreError>> + Send;

    /// The fields of the form that changes `object`, or that adds one.
    fn fieldsets(form: &ObjectForm<'_, Self>) -> Vec<Fieldset>;

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
    fn tools(&self, _: Rights, _: &Self::Offered) -> Vec<Link> {
        Vec::new()
    }

    /// What is shown below the form of the object with that id.
    fn panel(
        _: &App,
        _: &Staff,
        _: u64,
    ) -> impl Future<Output = Result<Option<Panel>, StoreError>> + Send {
        async { Ok(None) }
    }

    /// What of that is shown, now that the object and the user's rights are known.
    fn opened(&self, panel: Panel, _: Rights) -> Option<Panel> {
        Some(panel)
    }
}

/// A model whose list is read whole.
pub trait WholeList: ModelAdmin {
    /// The columns; the first links to the object.
    const COLUMNS: &[&str];

    /// All objects, in order.
    fn all(app: &App) -> impl Future<Output = Result<Vec<Self>, StoreError>> + Send;

    /// The texts that a search looks in: Django's `search_fields`.
    fn searched(&self) -> Vec<String>;

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
pub enum FormKind {
    /// The one that adds.
    Addition,
    /// The one that changes the object with that id.
    Change(u64),
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
pub struct ObjectForm<'a, M: ModelAdmin> {
    pub staff: &'a Staff,
    pub bound: Bound<'a>,
    /// None in the form that adds.
    pub object: Option<&'a M>,
    pub offered: &'a M::Offered,
    pub rights: Rights,
}

/// What is shown below a form.
pub enum Panel {
    Links(LinkPanel),
    Sessions(SessionPanel),
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
    pub panel: Option<Panel>,
}
