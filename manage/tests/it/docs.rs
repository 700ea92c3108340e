//! The documentation: what it names exists, and its tables are complete.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use clap::CommandFactory;
use regex_lite::Regex;
use serde_yaml_ng::Value;
use shared::settings::Settings;

const CODE: &str = "`([^`\n]+)`";

fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn read(path: &str) -> String {
    fs::read_to_string(at(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file below a directory, but for the outputs of tools.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let skipped = [".git", ".data", ".aws-sam", "target"];
    let entries = fs::read_dir(directory).unwrap();
    let below = |entry: fs::DirEntry| match entry.path() {
        path if path.is_file() => vec![path],
        path if skipped.iter().any(|name| path.ends_with(name)) => vec![],
        path => files_in(&path),
    };
    entries.flat_map(|entry| below(entry.unwrap())).collect()
}

/// The paths of the pages in `docs/`.
fn docs() -> Vec<String> {
    let files = files_in(&at("docs")).into_iter();
    let name = |file: PathBuf| file.file_name().unwrap().to_str().unwrap().to_owned();
    let pages = files.map(name).filter(|name| name.ends_with(".md"));
    pages.map(|name| format!("docs/{name}")).collect()
}

/// The path and the text of every page.
fn pages() -> impl Iterator<Item = (String, String)> {
    let mut all = docs();
    all.extend(
        [
            "README.md",
            "CONTRIBUTING.md",
            "SECURITY.md",
            "CHANGELOG.md",
        ]
        .map(str::to_owned),
    );
    all.into_iter().map(|path| (path.clone(), read(&path)))
}

/// A page without its code blocks.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// What the first group of a pattern matches in a text.
fn found(pattern: &str, text: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).unwrap();
    let matches = pattern.captures_iter(text);
    matches.map(|groups| groups[1].to_owned()).collect()
}

/// The id of a heading, by GitHub's rule.
fn id_of(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    let kept: String = heading.chars().filter(kept).collect();
    kept.to_lowercase().replace(' ', "-")
}

/// Whether a page has a heading with this id.
fn has_heading(text: &str, id: &str) -> bool {
    let headings = found("(?m)^#+ (.*)$", &prose(text));
    headings.iter().any(|heading| id_of(heading) == id)
}

/// The names in the first column of a table of `settings.md`, each with its default in the second.
fn table(heading: &str) -> BTreeMap<String, String> {
    let text = read("docs/settings.md");
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let pairs = rows.flat_map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        let defaults = found(CODE, cells[1]).into_iter();
        let defaults = defaults.chain(std::iter::repeat(String::new()));
        found(CODE, cells[0]).into_iter().zip(defaults)
    });
    pairs.collect()
}

fn template() -> Value {
    serde_yaml_ng::from_str(&read("template.yaml")).unwrap()
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    for (page, text) in pages() {
        for link in found(r"\]\(([^)\s]+)\)", &prose(&text)) {
            let (path, id) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => at(&page),
                path => at(&page).with_file_name("").join(path),
            };
            let exists = link.contains("://") || target.exists();
            assert!(exists, "{page}: {link}");
            let exists = id.is_empty() || has_heading(&fs::read_to_string(target).unwrap(), id);
            assert!(exists, "{page}: {link}");
        }
    }
}

#[test]
fn every_named_file_exists() {
    let files = files_in(&at(""));
    let file = Regex::new(r"^[\w./-]+\.(rs|toml|yaml|json|md|js|css|html|png|pem)$").unwrap();
    for (page, text) in pages() {
        for code in found(CODE, &prose(&text)) {
            let top = code.split_once('/').map_or("", |(top, _)| top);
            let is_path = !["", ".data", "target"].contains(&top) && at(top).is_dir();
            let exists = match is_path {
                true => at(&code).exists(),
                // What begins with a slash is the path of an address.
                false => {
                    !file.is_match(&code)
                        || code.starts_with('/')
                        || files.iter().any(|path| path.ends_with(&code))
                }
            };
            assert!(exists, "{page}: {code}");
        }
    }
}

#[test]
fn the_table_of_variables_has_every_setting_and_nothing_else() {
    let known = RefCell::new(BTreeSet::new());
    let settings = Settings::from_lookup(|name| {
        known.borrow_mut().insert(name.to_owned());
        match name {
            "SIGNING_KEY" | "TABLE_NAME" => Some("a-text-of-at-least-32-characters-0"),
            // Only where links lead somewhere their other settings are read.
            "DOMAIN" => Some("app.example.com"),
            "ACCOUNT_PAGES" => Some("true"),
            _ => None,
        }
        .map(str::to_owned)
    });
    settings.unwrap();
    let documented: BTreeSet<_> = table("Environment variables").into_keys().collect();
    assert_eq!(documented, known.into_inner());
}

#[test]
fn the_table_of_parameters_has_every_parameter_with_its_default_and_nothing_else() {
    let text = |value: &Value| match value {
        Value::Number(number) => number.to_string(),
        value => value.as_str().unwrap().to_owned(),
    };
    let template = template();
    let parameters = template["Parameters"].as_mapping().unwrap().iter();
    let expected = parameters.map(|(name, value)| (text(name), text(&value["Default"])));
    let expected: BTreeMap<_, _> = expected.collect();
    assert_eq!(table("Parameters of the template"), expected);
}

#[test]
fn every_alarm_links_to_its_heading_and_every_such_heading_has_an_alarm() {
    let template = template();
    let resources = template["Resources"].as_mapping().unwrap().values();
    let alarms = resources.filter(|resource| resource["Type"] == "AWS::CloudWatch::Alarm");
    let text = |alarm: &Value, property: &str| match &alarm["Properties"][property] {
        Value::Tagged(text) => text.value.as_str().unwrap().to_owned(),
        other => panic!("{property}: {other:?}"),
    };
    let linked = |alarm: &Value| {
        let (name, description) = (text(alarm, "AlarmName"), text(alarm, "AlarmDescription"));
        let (_, link) = description.rsplit_once(' ').unwrap();
        let name = name.strip_prefix("${AWS::StackName}-").unwrap();
        let id = link.strip_prefix("${RunbookUrl}#").unwrap();
        (name.to_owned(), id.to_owned())
    };
    let alarms: BTreeMap<_, _> = alarms.map(linked).collect();
    let headings = found("(?m)^### (.*)$", &read("docs/operate.md"));
    let documented = headings.iter().flat_map(|heading| {
        let names = found(CODE, heading).into_iter();
        names.map(|name| (name, id_of(heading)))
    });
    assert_eq!(documented.collect::<BTreeMap<_, _>>(), alarms);
}

#[test]
fn the_table_of_security_events_has_every_event_and_nothing_else() {
    let source = read("shared/src/telemetry/events.rs");
    let events = found(r#"(?s)Self::\w+ => \(\s*"([a-z.]+)","#, &source);
    let text = read("docs/operate.md");
    let (_, section) = text.split_once("\n## Security events\n").unwrap();
    let rows = section.split("|---|\n").nth(1).unwrap();
    let table = rows.split("\n\n").next().unwrap();
    let documented = found(r"(?m)^\| `([a-z.]+)`", table).into_iter();
    assert_eq!(
        documented.collect::<BTreeSet<_>>(),
        events.into_iter().collect()
    );
}

#[test]
fn every_command_and_option_of_manage_exists() {
    let manage = manage::Arguments::command();
    for (page, text) in pages() {
        for line in found(r"(?:-p manage -- |`manage )([a-z][^`\n&]*)", &text) {
            let mut words = line.split_whitespace();
            let command = manage.find_subcommand(words.next().unwrap());
            let command = command.unwrap_or_else(|| panic!("{page}: {line}"));
            let options = command.get_arguments();
            let names = options.filter_map(clap::Arg::get_long_and_visible_aliases);
            let names: Vec<&str> = names.flatten().collect();
            let mut used = words.filter_map(|word| word.strip_prefix("--"));
            assert!(used.all(|name| names.contains(&name)), "{page}: {line}");
        }
    }
}

#[test]
fn the_readme_is_short_leads_to_every_page_and_has_the_line_that_ci_runs() {
    let text = read("README.md");
    assert!(text.lines().count() <= 200);
    assert!(text.contains("\nTest: `cargo test --workspace`\n"));
    for page in docs() {
        assert!(text.contains(&format!("({page})")), "{page}");
        let told = read(&page).contains("\n\nAfter reading this page you ");
        assert!(told, "{page} does not begin with what its reader can do");
    }
}
