//! Tests of the options.
#![allow(clippy::unwrap_used)]

use super::*;

fn listening(listen: &str) -> PartialConfig {
    PartialConfig {
        listen: Some(listen.into()),
        ..PartialConfig::default()
    }
}

#[test]
fn defaults_are_safe() {
    let config = PartialConfig::default().resolve().unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:7420");
    assert!(!config.allow_remote);
    assert_eq!(config.snapshot_every, SNAPSHOT_EVERY);
    assert_eq!(config.shutdown_grace, Duration::from_secs(30));
    assert_eq!(
        (config.log_level, config.log_format),
        (LogLevel::Info, LogFormat::Text)
    );
}

#[test]
fn flags_go_before_the_environment_and_that_before_the_file() {
    let file = "data = \"f\"\nlisten = \"127.0.0.1:1\"\nlog_level = \"trace\"\nsnapshot_every = 7";
    let file = PartialConfig::from_toml(file, "w.toml").unwrap();
    let env = PartialConfig::from_env(|name| match name {
        "WERKBUCH_SERVE_LISTEN" => Some("127.0.0.1:2".into()),
        "WERKBUCH_SERVE_LOG_LEVEL" => Some("warn".into()),
        "WERKBUCH_DATA" => Some("not ours".into()),
        _ => None,
    });
    let config = listening("localhost:3")
        .merge(env.unwrap())
        .merge(file)
        .resolve()
        .unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:3");
    assert_eq!(config.log_level, LogLevel::Warn);
    assert_eq!(config.data, PathBuf::from("f"));
    assert_eq!(config.snapshot_every, 7);
}

#[test]
fn only_this_machine_is_listened_to_unless_allowed() {
    for local in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:0", "localhost:7420"] {
        assert!(listening(local).resolve().is_ok(), "{local}");
    }
    for remote in ["0.0.0.0:7420", "[::]:7420", "192.168.0.7:7420"] {
        let error = listening(remote).resolve().unwrap_err();
        assert!(
            matches!(error, ConfigError::Remote { .. }),
            "{remote}: {error}"
        );
        let allowed = PartialConfig {
            allow_remote: Some(true),
            ..listening(remote)
        };
        assert!(allowed.resolve().is_ok(), "{remote}");
    }
}

#[test]
fn files_are_refused_with_line_and_hint() {
    let cases = [
        (
            "\nlisen = \"x\"",
            "w.toml:2: there is no option \"lisen\", did you mean \"listen\"?;",
        ),
        (
            "data = \"d\"\n\nquux = 1",
            "w.toml:3: there is no option \"quux\"; the options are data,",
        ),
        (
            "[server]\nlisten = \"x\"",
            "w.toml:1: there is no option \"server\"; the",
        ),
        ("allow-remote = true", "did you mean \"allow_remote\"?"),
        (
            "data = \"d\"\nstore = \"s\"\nlisten = 7",
            "w.toml:3: invalid type: integer `7`, expected a string",
        ),
        ("data = \"d\"\nlisten = ", "w.toml:2: "),
    ];
    for (text, expected) in cases {
        let error = PartialConfig::from_toml(text, "w.toml")
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn values_are_checked() {
    let grace = |text: &str| PartialConfig {
        shutdown_grace: Some(text.into()),
        ..PartialConfig::default()
    };
    for (text, millis) in [("500ms", 500), ("30s", 30_000), ("2m", 120_000), ("0s", 0)] {
        let config = grace(text).resolve().unwrap();
        assert_eq!(
            config.shutdown_grace,
            Duration::from_millis(millis),
            "{text}"
        );
    }
    for bad in [
        "",
        "30",
        "s",
        "-1s",
        "1.5s",
        "99999999999999999999s",
        "2h",
        "61m",
        "é",
    ] {
        let error = grace(bad).resolve().unwrap_err().to_string();
        assert!(error.contains("shutdown_grace"), "{bad}: {error}");
    }
    for bad in ["", "7420", "localhost", "host:1", "127.0.0.1:70000"] {
        assert!(listening(bad).resolve().is_err(), "{bad}");
    }
    let bad = PartialConfig {
        snapshot_every: Some(0),
        ..PartialConfig::default()
    };
    assert!(bad.resolve().is_err());
    let bad = PartialConfig {
        log_level: Some("loud".into()),
        ..PartialConfig::default()
    };
    assert!(bad.resolve().unwrap_err().to_string().contains("\"loud\""));
    let env = PartialConfig::from_env(|name| name.ends_with("REMOTE").then(|| "maybe".into()));
    assert!(env.unwrap_err().to_string().contains("allow_remote"));
}

#[test]
fn libraries_say_warnings_only_and_a_filter_overrides() {
    let with = |level: &str, filter: &str| PartialConfig {
        log_level: Some(level.into()),
        log_filter: Some(filter.into()),
        ..PartialConfig::default()
    };
    for (level, filter, directives) in [
        ("info", "", "warn,werkbuch=info"),
        ("error", "", "error,werkbuch=error"),
        (
            "Debug",
            " h2=info, werkbuch_engine::plant=off,",
            "warn,werkbuch=debug,h2=info,werkbuch_engine::plant=off",
        ),
    ] {
        let config = with(level, filter).resolve().unwrap();
        assert_eq!(config.log_directives(), directives);
    }
    for bad in ["h2", "=info", "h2=loud", "h2=info;x=info", "[span]=info"] {
        let error = with("info", bad).resolve().unwrap_err().to_string();
        assert!(error.contains("log_filter"), "{bad}: {error}");
    }
}

#[test]
fn every_key_of_the_table_is_read_from_a_file() {
    let text = "data = \"d\"\nstore = \"s\"\nlisten = \"l\"\nallow_remote = true\nlog_level = \"x\"\n\
                log_filter = \"f\"\nlog_format = \"y\"\nsnapshot_every = 1\n\
                past_every = 4\n\
                write_ahead_mib = 2\nrecovery_rate = 3\nshutdown_grace = \"z\"";
    assert_eq!(text.lines().count(), KEYS.len());
    for ((name, variable, _), line) in KEYS.iter().zip(text.lines()) {
        assert!(line.starts_with(name), "{line}");
        assert_eq!(*variable, format!("WERKBUCH_SERVE_{}", name.to_uppercase()));
    }
    let read = PartialConfig::from_toml(text, "w.toml").unwrap();
    assert_eq!(read.allow_remote, Some(true));
}
