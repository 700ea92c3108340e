//! The page of the OpenAPI document, which runs a large script of others under a strict policy.

use serde_json::json;

use super::site::site;

/// Notes what the page's policy forbids it.
const NOTE: &str = "window.forbidden = []; document.addEventListener('securitypolicyviolation', \
                    event => forbidden.push(event.violatedDirective + ' ' + event.blockedURI))";

#[tokio::test]
async fn swagger_ui_shows_every_operation_and_sends_requests_within_the_policy() {
    let Some(site) = site().await else { return };
    let note = json!({ "source": NOTE });
    site.devtools("Page.addScriptToEvaluateOnNewDocument", note)
        .await;
    site.open("/api/schema/swagger-ui/").await;
    site.element(".opblock").await;
    let document = manage::openapi::document();
    let paths = document["paths"].as_object().unwrap().values();
    let operations: usize = paths.map(|item| item.as_object().unwrap().len()).sum();
    let shown = site.run("return document.querySelectorAll('.opblock').length");
    assert_eq!(shown.await, json!(operations));
    let login = "#operations-auth-auth_login_create";
    for button in [".opblock-summary-control", ".try-out__btn", ".execute"] {
        site.click(&format!("{login} {button}")).await;
    }
    let words = "No active account found with the given credentials";
    let answer = format!("{login} .live-responses-table .microlight");
    site.element(&answer).await;
    site.sees(words).await;
    assert_eq!(site.run("return forbidden").await, json!([]));
}
