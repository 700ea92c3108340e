//! Whether browsers may use the API from the given origins, and from no other.

use axum::http::{HeaderName, HeaderValue, Method, header};

use super::{
    Report,
    client::{Answer, Client, FromOrigin},
    probes::{Function, Probe},
};

/// An origin that does not exist: `.invalid` is never registered (RFC 2606).
const NOBODY: HeaderValue = HeaderValue::from_static("https://smoketest.invalid");
const ANY: &str = "*";

/// Asks every function as a browser would, from each origin and from one that is not allowed
/// unless any is.
pub async fn check(
    client: &Client,
    functions: &[Function],
    origins: &[HeaderValue],
    report: &mut Report,
) {
    let cases = origins
        .iter()
        .filter(|origin| *origin != ANY)
        .map(|origin| (origin, true));
    let allows_any = origins.iter().any(|origin| origin == ANY);
    for (origin, is_allowed) in cases.chain([(&NOBODY, allows_any)]) {
        // The admin pages are for no other origin.
        for function in functions.iter().filter(|function| function.is_of_api()) {
            let Some(Probe { path, answers, .. }) = function.probes.first() else {
                continue;
            };
            let name = |method| {
                let origin = String::from_utf8_lossy(origin.as_bytes());
                format!("{method} {path} from {origin}")
            };

            let from = Some(FromOrigin::Preflight(origin));
            let answer = client.send(&Method::OPTIONS, path, from).await;
            let checked = answer.and_then(|answer| {
                check_origin(&answer, origin, is_allowed)?;
                if is_allowed {
                    check_preflight(&answer)
                } else {
                    Ok(())
                }
            });
            report.note(&name(Method::OPTIONS), checked);

            let from = Some(FromOrigin::Simple(origin));
            let answer = client.send(&Method::GET, path, from).await;
            let checked = answer.and_then(|answer| {
                for (_, expected) in answers.iter().filter(|(it, _)| *it == Method::GET) {
                    expected.check(&Method::GET, &answer)?;
                }
                check_origin(&answer, origin, is_allowed)?;
                if is_allowed {
                    check_exposed(&answer)
                } else {
                    Ok(())
                }
            });
            report.note(&name(Method::GET), checked);
        }
    }
}

fn check_origin(answer: &Answer, origin: &HeaderValue, is_allowed: bool) -> Result<(), String> {
    let mut given = answer
        .headers
        .get_all(header::ACCESS_CONTROL_ALLOW_ORIGIN)
        .iter();
    match (given.next(), given.next()) {
        (None, _) if is_allowed => Err("no header Access-Control-Allow-Origin".to_owned()),
        (None, _) => Ok(()),
        (Some(given), None) if is_allowed && (given == origin || given == ANY) => Ok(()),
        (Some(given), None) => {
            let given = String::from_utf8_lossy(given.as_bytes());
            Err(format!(
                "Access-Control-Allow-Origin is {given}, which should not be allowed"
            ))
        }
        (Some(_), Some(_)) => Err("Access-Control-Allow-Origin is there twice".to_owned()),
    }
}

fn check_preflight(answer: &Answer) -> Result<(), String> {
    if !answer.status.is_success() {
        return Err(format!("no preflight's answer: {}", answer.excerpt()));
    }
    check_list(
        answer,
        header::ACCESS_CONTROL_ALLOW_METHODS,
        &["GET", "POST", "PUT", "PATCH", "DELETE"],
    )?;
    check_list(
        answer,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        &[
            "accept",
            "authorization",
            "content-type",
            "user-agent",
            "x-csrftoken",
            "x-requested-with",
        ],
    )
}

fn check_exposed(answer: &Answer) -> Result<(), String> {
    check_list(
        answer,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        &["link", "retry-after", "www-authenticate"],
    )
}

/// Whether a header's list has all of these. A star means all but `Authorization`, which must be
/// named (Fetch standard).
fn check_list(answer: &Answer, header: HeaderName, wanted: &[&str]) -> Result<(), String> {
    let given: Vec<String> = answer
        .headers
        .get_all(&header)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .map(|item| String::from_utf8_lossy(item).trim().to_owned())
        .collect();
    let has = |wanted: &str| given.iter().any(|given| given.eq_ignore_ascii_case(wanted));
    let missing: Vec<&str> = wanted
        .iter()
        .copied()
        .filter(|wanted| !has(wanted) && (*wanted == "authorization" || !has(ANY)))
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("{header} lacks {}", missing.join(", ")))
    }
}
