//! What the binary tells about itself.

use testkit::process::run;

use super::process::manage;

#[test]
fn help_explains_every_command() {
    let help = run(&mut manage("--help")).succeeded();
    let commands = "runserver createsuperuser createuser changepassword check loaddata verifydump \
                    dumpdata exportuser eraseuser rotatekey syncpermissions smoketest showuser setuser unlock logout \
                    migrate afterrestore drill openapi status rollback";
    for command in commands.split(' ') {
        let line = help
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(&format!("{command} ")));
        let line = line.unwrap_or_else(|| panic!("{command} is missing: {help}"));
        assert!(line.trim().len() > 20, "{command} is not explained: {help}");
    }
}

#[test]
fn the_help_of_a_command_explains_every_option() {
    for (command, options) in [
        ("runserver", "--bind --data --memory --dynamodb-bind"),
        (
            "createsuperuser",
            "--username --email --noinput --data --table",
        ),
        (
            "createuser",
            "--username --email --noinput --staff --inactive --data",
        ),
        ("changepassword", "<USERNAME> --noinput --data --table"),
        ("check", "--repair --data --table"),
        (
            "migrate",
            "--dry-run --no-wait --again --read-rate --data --table",
        ),
        (
            "afterrestore",
            "--last-user-id --secret --from-id --write-rate --as --data --table",
        ),
        ("drill", "--keep --settle --as --data --table"),
        ("status", "--stack"),
        ("openapi", "--file"),
        ("rollback", "--stack --to --dry-run"),
        (
            "loaddata",
            "<FILE> --user-model --username-field --timezone --content-type \
             --drop-missing-references --dry-run --report --on-conflict --update \
             --allow-weak-hashes --move-user --log-entries --blacklist --write-rate --data --table",
        ),
        ("verifydump", "<FILE> --user-model --data --table"),
        (
            "dumpdata",
            "--format --user-model --since --deleted --log-entries --naive --read-rate --data --table",
        ),
        ("exportuser", "<USERNAME> --data --table"),
        ("eraseuser", "[USERNAME] --id --data --table"),
        (
            "rotatekey",
            "<SECRET> --algorithm --force --leaked --url --accept-fallbacks --refresh-token-lifetime",
        ),
        ("syncpermissions", "<FILE> --prune --dry-run --data --table"),
        (
            "smoketest",
            "<URL> --host --origin --account-pages --no-docs",
        ),
    ] {
        let help = run(manage(command).arg("--help")).succeeded();
        for option in options.split(' ') {
            let lines = help.lines();
            let lines = lines.skip_while(|line| !line.trim_start().starts_with(option));
            let explained: String = lines.take(2).collect();
            let long = explained.len() > option.len() + 20;
            assert!(long, "{command} {option}: {help}");
        }
    }
}

#[test]
fn without_a_command_the_help_is_shown_and_nothing_succeeds() {
    let ended = run(&mut manage(""));
    assert_eq!(ended.status, Some(2), "{ended:?}");
    for command in ["runserver", "createsuperuser"] {
        assert!(ended.stderr.contains(command), "{ended:?}");
    }
}

#[test]
fn an_unknown_command_or_option_is_named() {
    for (line, named) in [
        ("runserve", "runserve"),
        ("runserver --port 1", "--port"),
        ("runserver --bind nowhere", "nowhere"),
        ("runserver --memory --data x", "--data"),
        ("check --table x --data x", "--table"),
    ] {
        let ended = run(&mut manage(line));
        assert_eq!(ended.status, Some(2), "{line}: {ended:?}");
        assert!(ended.stderr.contains(named), "{line}: {ended:?}");
    }
}
