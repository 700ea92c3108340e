//! The admin pages in a real browser: chromium, driven through chromedriver. Where there is none,
//! the tests pass and say that they were skipped.

mod accessibility;
mod accounts;
mod driver;
mod forms;
mod header;
mod keyboard;
mod log_in;
mod pictures;
mod selector;
mod site;
mod stability;
mod staff;
mod swagger_ui;
mod tour;
mod window;
