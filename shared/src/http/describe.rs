//! What the operations of the API take and answer, in words and shapes. It is data in the tables of
//! routes, beside the handlers: no function reads it, `manage openapi` makes the OpenAPI document of it.

/// What a method of a path takes and answers, beside what its path and its access rule say already.
#[derive(Debug)]
pub struct Operation {
    /// One line.
    pub summary: &'static str,
    /// What else is good to know, in CommonMark.
    pub notes: &'static str,
    /// The path's parameter, with the value of the sample.
    pub id: PathId,
    /// The parameters of the query.
    pub query: &'static [Parameter],
    /// The body, if it reads one.
    pub body: Option<Body>,
    /// The answer if nothing is wrong.
    pub answer: Answer,
    /// What can be refused, beside what every operation of its kind refuses.
    pub refusals: &'static [Refusal],
}

impl Operation {
    /// An operation that takes nothing and answers 204.
    pub const NEW: Self = Self {
        summary: "",
        notes: "",
        id: PathId::None,
        query: &[],
        body: None,
        answer: Answer::NOTHING,
        refusals: &[],
    };
}

/// What the parameter of a path is.
#[derive(Debug)]
pub enum PathId {
    /// There is none.
    None,
    /// A primary key.
    Key(u64),
    /// A text.
    Text(&'static str),
}

/// A parameter of a query, which may always be left out.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// A JSON Schema.
    pub schema: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// A body: JSON, or a form of the same fields. For PATCH every field may be left out.
#[derive(Debug)]
pub struct Body {
    /// Its fields.
    pub form: &'static Object,
    /// The body of the sample, as JSON.
    pub sample: &'static str,
}

/// A good answer.
#[derive(Debug)]
pub struct Answer {
    /// 200, 201 or 204.
    pub status: u16,
    /// What it holds.
    pub content: Content,
    /// The answer to the sample, as JSON; empty if there is none, or the sample is refused.
    pub sample: &'static str,
}

impl Answer {
    /// 204.
    pub const NOTHING: Self = Self {
        status: 204,
        content: Content::Nothing,
        sample: "",
    };

    /// 200.
    pub const fn ok(content: Content, sample: &'static str) -> Self {
        Self {
            status: 200,
            content,
            sample,
        }
    }

    /// 201.
    pub const fn created(content: Content, sample: &'static str) -> Self {
        Self {
            status: 201,
            content,
            sample,
        }
    }
}

/// What an answer holds.
#[derive(Debug)]
pub enum Content {
    /// No body.
    Nothing,
    /// An object.
    One(&'static Object),
    /// An array of objects.
    Many(&'static Object),
    /// An array of objects, with a `Link` header to the next page if there is one.
    Page(&'static Object),
    /// This document, in media types of its own.
    Document(&'static [&'static str]),
}

/// An object with a name of its own in the document.
#[derive(Debug)]
pub struct Object {
    /// As drf-spectacular would name it.
    pub name: &'static str,
    /// The fields.
    pub fields: &'static [Field],
}

/// `{}`.
pub static EMPTY: Object = Object {
    name: "Empty",
    fields: &[],
};

/// `{"message": "…"}`.
pub static MESSAGE: Object = Object {
    name: "Message",
    fields: &[Field::new("message", Kind::Text)],
};

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be left out, and as a text be empty.
    pub is_optional: bool,
    /// What it is, if its name does not say it all.
    pub about: &'static str,
}

impl Field {
    /// A field that is always there.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            is_optional: false,
            about: "",
        }
    }

    /// The field, which may be left out.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.is_optional = true;
        self
    }

    /// The field, with words about it.
    #[must_use]
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text.
    Text,
    /// A text of at most so many characters.
    Limited(usize),
    /// An email address.
    Email,
    /// A password.
    Password,
    /// A JSON Web Token.
    Token,
    /// RFC 3339, in UTC.
    Time,
    /// A primary key.
    Id,
    /// Primary keys.
    Ids,
    /// True or false.
    Flag,
    /// Texts.
    Texts,
    /// Objects.
    Many(&'static Object),
    /// What a JSON Schema says.
    Schema(&'static str),
}

/// What an operation can refuse beside what follows from its access rule, its path and its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 304, nothing has changed since the `ETag` of `If-None-Match`.
    NotModified,
    /// 400, the last active superuser would be removed.
    LastSuperuser,
    /// 400, nobody has the address, if people may be told.
    NobodyByEmail,
    /// 400 without a body, the service sends no such mails.
    NoSuchMail,
    /// 401, a wrong username or password.
    WrongCredentials,
    /// 401, a token in the body that is not good.
    BadToken,
    /// 403, an account that is active already.
    StaleLink,
    /// 404, where the path alone does not say that something may be missing.
    NotFound,
    /// 404, a page that does not exist.
    NoSuchPage,
    /// 406, no media type that the `Accept` header allows.
    NotAcceptable,
    /// 409, where the access rule does not say that something is changed.
    Conflict,
    /// 429 of the service itself.
    Throttled,
}
