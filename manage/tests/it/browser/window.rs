//! A browser, and what a user sees and does in it.

use std::{path::Path, thread, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::{By, TypingData, WebDriver, WebElement, error::WebDriverError};
use tokio::{
    runtime::Runtime,
    time::{Instant, sleep},
};

use super::driver::{Chromedriver, Programs};

/// Far more than any page takes.
const PATIENCE: Duration = Duration::from_secs(20);
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// A browser without cookies.
pub struct Browser {
    // Dropped in this order: chromedriver ends the browser, which then leaves its files.
    driver: WebDriver,
    _chromedriver: Chromedriver,
    _profile: TempDir,
    base: String,
}

/// How wide the window is and which colours its owner likes.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub name: &'static str,
    pub scheme: &'static str,
    pub width: u32,
}

const fn look(name: &'static str, scheme: &'static str, width: u32) -> Look {
    Look {
        name,
        scheme,
        width,
    }
}

pub const LIGHT: Look = look("light", "light", 1280);
pub const DARK: Look = look("dark", "dark", 1280);
pub const NARROW: Look = look("narrow", "light", 360);
pub const NARROW_DARK: Look = look("narrow dark", "dark", 360);

/// A test that fails shows its page. It is asked for from another thread, since this one's runtime
/// is at work on the test.
impl Drop for Browser {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let driver = self.driver.clone();
        let page = async move {
            let url = driver.current_url().await?;
            Ok::<_, WebDriverError>(format!("{url}\n{}", driver.source().await?))
        };
        let told = thread::spawn(|| Runtime::new().expect("a runtime").block_on(page));
        match told.join() {
            Ok(Ok(page)) => eprintln!("The page at the end: {page}"),
            told => eprintln!("The page at the end cannot be shown: {told:?}"),
        }
    }
}

impl Browser {
    pub async fn start(programs: &Programs, base: &str) -> Self {
        let profile = TempDir::new().expect("a directory");
        let chromedriver = Chromedriver::start(programs).await;
        let driver = chromedriver.browser(programs, profile.path()).await;
        Self {
            driver,
            _chromedriver: chromedriver,
            _profile: profile,
            base: base.to_owned(),
        }
    }

    pub async fn open(&self, path: &str) {
        let url = format!("{}{path}", self.base);
        self.driver.goto(url).await.expect("a page");
    }

    pub async fn reload(&self) {
        self.driver.refresh().await.expect("the page again");
    }

    /// The path of the page, with its query.
    pub async fn path(&self) -> String {
        let url = self.driver.current_url().await.expect("an address");
        url.as_str().replacen(&self.base, "", 1)
    }

    /// Waits until the page shows a text.
    pub async fn sees(&self, text: &str) {
        let shown = || async { self.shows(text).await.then_some(()) };
        self.wait_for(&format!("the text {text:?}"), shown).await;
    }

    /// Whether the page shows a text now. One that is just being left shows nothing.
    pub async fn shows(&self, text: &str) -> bool {
        let Ok(body) = self.driver.find(By::Tag("body")).await else {
            return false;
        };
        body.text().await.is_ok_and(|shown| shown.contains(text))
    }

    /// Waits for the first element of a CSS selector.
    pub async fn element(&self, css: &str) -> WebElement {
        self.found(By::Css(css), css).await
    }

    /// What the first element of a CSS selector says.
    pub async fn text_of(&self, css: &str) -> String {
        self.element(css).await.text().await.expect("its text")
    }

    /// Clicks on the first element of a CSS selector.
    pub async fn click(&self, css: &str) {
        self.element(css).await.click().await.expect("a click");
    }

    pub async fn has(&self, css: &str) -> bool {
        let found = self.driver.find_all(By::Css(css)).await;
        !found.expect("an answer").is_empty()
    }

    /// The control that a label names.
    pub async fn field(&self, label: &str) -> WebElement {
        let named = format!("normalize-space(.)='{label}' or normalize-space(.)='{label} *'");
        let path = format!(
            "//*[@id=//label[{named}]/@for] | //label[{named}]//input | \
             //input[@aria-label='{label}']"
        );
        self.found(By::XPath(path), label).await
    }

    async fn found(&self, by: By, what: &str) -> WebElement {
        let find = || async { self.driver.find(by.clone()).await.ok() };
        self.wait_for(what, find).await
    }

    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.clear().await.expect("an empty field");
        field.send_keys(text).await.expect("typed");
    }

    /// Clicks on a check box or on anything else that has a label.
    pub async fn tick(&self, label: &str) {
        self.field(label).await.click().await.expect("a click");
    }

    /// Chooses from a list by what it says.
    pub async fn choose(&self, label: &str, option: &str) {
        let option = self.option(label, option).await;
        option.click().await.expect("a click");
    }

    pub async fn option(&self, label: &str, option: &str) -> WebElement {
        let path = format!(".//option[normalize-space(.)='{option}']");
        let list = self.field(label).await;
        list.find(By::XPath(path)).await.expect(option)
    }

    /// Clicks on the button or the link of a name.
    pub async fn press(&self, name: &str) {
        let path =
            format!("//button[normalize-space(.)='{name}'] | //a[normalize-space(.)='{name}']");
        let found = self.found(By::XPath(path), name).await;
        found.click().await.expect("a click");
    }

    /// Presses keys wherever the keyboard is.
    pub async fn keys(&self, keys: impl Into<TypingData>) {
        let keys = self.driver.action_chain().send_keys(keys);
        keys.perform().await.expect("pressed");
    }

    pub async fn double_click(&self, element: &WebElement) {
        let chain = self.driver.action_chain().double_click_element(element);
        chain.perform().await.expect("a double click");
    }

    /// What a script returns. It runs beside the page's policy, as a developer's console does.
    pub async fn run(&self, script: &str) -> Value {
        let answer = self.driver.execute(script, vec![]).await;
        answer.expect("an answer").json().clone()
    }

    /// What a script hands to its last argument.
    pub async fn run_async(&self, script: &str) -> Value {
        let answer = self.driver.execute_async(script, vec![]).await;
        answer.expect("an answer").json().clone()
    }

    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.expect(command)
    }

    pub async fn look(&self, look: Look) {
        let size =
            json!({"width": look.width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size)
            .await;
        let scheme = json!({"name": "prefers-color-scheme", "value": look.scheme});
        let media = json!({ "features": [scheme] });
        self.devtools("Emulation.setEmulatedMedia", media).await;
        let script = "return [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]";
        let expected = json!([look.width, look.scheme == "dark"]);
        assert_eq!(self.run(script).await, expected);
    }

    /// Runs no scripts of pages from now on.
    pub async fn without_scripts(&self) {
        let off = json!({ "value": true });
        self.devtools("Emulation.setScriptExecutionDisabled", off)
            .await;
    }

    /// A picture of the whole page.
    pub async fn picture(&self, file: &Path) {
        let whole = json!({ "captureBeyondViewport": true });
        let taken = self.devtools("Page.captureScreenshot", whole).await;
        let png = STANDARD.decode(taken["data"].as_str().expect("a picture"));
        std::fs::write(file, png.expect("base64")).expect("a file");
    }

    /// Looks again and again until there is something.
    pub async fn wait_for<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < end, "no {what} on {}", self.path().await);
            sleep(BETWEEN_LOOKS).await;
        }
    }
}
