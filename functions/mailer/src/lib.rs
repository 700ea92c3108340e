//! Sends the mails that are owed. A change of an account writes what is to be sent into the outbox;
//! the table's stream tells this function, which reads the account again, makes the link, renders the
//! mail, sends it and takes it out of the outbox. Nothing else sends mails.

mod deliver;
mod letter;
mod message;
mod sender;
pub mod stream;

pub use deliver::{Delivery, Dropped, LEASE, Mailer, NotSent};
pub use letter::{Facts, Letter};
pub use message::{From, compose};
pub use sender::{SendError, Sender};
