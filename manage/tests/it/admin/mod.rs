//! The admin pages over HTTP, as a browser without a script sees them.

mod bulk;
mod cookies;
mod forms;
mod history;
mod limits;
mod listing;
mod mails;
mod rights;
mod search;
mod sessions;
mod site;
mod weight;
mod words;
