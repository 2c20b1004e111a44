//! What settings may be.

use lingxi_runtime::config::load_from;

use super::{SECRET, load_env, refused, refused_env, with_file};
use crate::config::Config;

#[test]
fn bad_values_say_key_value_and_what_is_accepted() {
    for (key, value, expected) in [
        (
            "BCRYPT_COST",
            "abc",
            "bcrypt_cost = \"abc\" is not accepted: expected an integer (from LINGXI__BCRYPT_COST)",
        ),
        (
            "BCRYPT_COST",
            "3",
            "bcrypt_cost = 3 is not accepted: expected 4 to 31",
        ),
        (
            "PARTITIONS",
            "65",
            "partitions = 65 is not accepted: expected 1 to 64",
        ),
        ("SESSIONS__POLICY", "both", "expected `single` or `multi`"),
        ("RATE_LIMITS", "maybe", "expected `on` or `off`"),
        ("LOG_FORMAT", "xml", "expected `text` or `json`"),
        (
            "LISTEN",
            "8080",
            "listen = \"8080\" is not accepted: expected host:port",
        ),
        (
            "LIMITS__MEMORY_MIB",
            "1",
            "limits.memory_mib = 1 is not accepted: expected 8 to 1048576 (from LINGXI__LIMITS__MEMORY_MIB)",
        ),
        ("LIMITS__SOCKETS_PER_USER", "0", "expected 1 to 1000000"),
        ("HTTP__HEADER_SECONDS", "0", "expected 1 to 3600"),
        ("RATE__RUNS_PER_MINUTE", "0", "expected 1 to 1000000"),
        ("AI__RUNS_AT_ONCE", "0", "expected 1 to 100000"),
        ("AI__RUN_RETENTION_DAYS", "0", "expected 1 to 3650"),
        ("LOG", "info,x=loud", "expected a level"),
        ("AI__DETECT_OLLAMA", "perhaps", "expected a boolean"),
        (
            "DATABASE__PORT",
            "70000",
            "expected an unsigned 16 bit integer",
        ),
        (
            "DATABASE__POOL_SIZE",
            "31",
            "database.pool_size = 31 is not accepted: expected 1 to 30",
        ),
        (
            "DATABASE_URL",
            "postgres://u:hunter2@h/d",
            "\"postgres://u:***@h/d\" is not accepted: expected sqlite:",
        ),
        (
            "AI__PROVIDERS__0__NAME",
            "x",
            "ai.providers.0.base_url is missing",
        ),
        ("AI__OLLAMA_URL", "127.0.0.1:1", "http://"),
    ] {
        let text = refused_env(key, value);
        assert!(text.contains(expected), "{key}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
    let (_folder, sources) =
        with_file("bcrypt_cost = true\nlisten = 3\njwt_secret = [\"hunter2\"]\n");
    let text = refused(sources);
    assert!(
        !text.contains("hunter2") && text.contains("is not accepted"),
        "{text}"
    );
    let (_folder, sources) = with_file("listen = \"a\"\njwt_secret = \"hunter2\" x\n");
    let text = refused(sources);
    assert!(
        text.contains("lingxi.toml line 2: ") && !text.contains("hunter2"),
        "{text}"
    );
    let (_folder, mut sources) = with_file("");
    sources.file = Some("/nowhere/lingxi.toml".into());
    assert!(refused(sources).starts_with("/nowhere/lingxi.toml: cannot be read"));
}

#[test]
fn a_line_break_behind_a_value_is_no_part_of_it() {
    let with_break = format!("{SECRET}\r\n");
    let config = load_env(&[
        ("JWT_SECRET", &with_break),
        ("CLUSTER_TOKEN", &format!("{SECRET}\n\n")),
        ("DATABASE__PASSWORD", "p w \n"),
        ("NATS_URL", "nats://u:p@h\n"),
        ("BCRYPT_COST", "10\n"),
        ("SESSIONS__POLICY", "multi\r\n"),
        ("AI__PROVIDERS__0__NAME", "a\n"),
        ("AI__PROVIDERS__0__BASE_URL", "http://a/v1\n"),
        ("AI__PROVIDERS__0__MODEL", "m\n"),
        ("AI__PROVIDERS__0__API_KEY", "sk-1\n"),
    ]);
    for secret in [&config.jwt_secret, &config.cluster_token] {
        assert_eq!(secret.as_ref().unwrap().expose(), SECRET);
    }
    assert_eq!(config.database.password.unwrap().expose(), "p w ");
    assert_eq!(config.nats_url.as_deref(), Some("nats://u:p@h"));
    let provider = &config.ai.providers[0];
    assert_eq!(
        (provider.name.as_str(), provider.base_url.as_str()),
        ("a", "http://a/v1")
    );
    assert_eq!(provider.api_key.as_ref().unwrap().expose(), "sk-1");

    let (_folder, sources) = with_file(&format!("jwt_secret = \"\"\"{SECRET}\n\"\"\"\n"));
    let secret = load_from::<Config>(sources).unwrap().jwt_secret.unwrap();
    assert_eq!(secret.expose(), SECRET);
}

#[test]
fn a_control_character_inside_is_refused_by_name() {
    for (key, value, what) in [
        (
            "JWT_SECRET",
            "0123456789abcdef\n0123456789abcdef",
            "a line break",
        ),
        ("AI__PROVIDERS__0__API_KEY", "sk\r\n1", "a line break"),
        ("DATABASE__PASSWORD", "a\u{7}b", "U+0007"),
        ("NATS_URL", "nats://u:\u{1b}@h", "U+001B"),
        ("LISTEN", "127.0.0.1:1\n127.0.0.1:2", "a line break"),
        ("REDIS_URL", "redis://\u{fffd}@h", "not UTF-8"),
    ] {
        let text = refused_env(key, value);
        assert!(
            text.starts_with(&format!("LINGXI__{key}: ")) && text.contains(what),
            "{text}"
        );
    }
    let (_folder, sources) = with_file("nats_url = \"nats://h\\u0000\"\n");
    let text = refused(sources);
    assert!(
        text.contains("nats_url holds the control character U+0000"),
        "{text}"
    );
    let config = load_env(&[("AI__SYSTEM_PROMPT", "one\n\ttwo")]);
    assert_eq!(config.ai.system_prompt.as_deref(), Some("one\n\ttwo"));
}

#[test]
fn trusted_proxies_are_addresses_and_networks() {
    let config = load_env(&[("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8,::1")]);
    assert_eq!(config.trusted_proxies().unwrap().len(), 3);
    assert!(refused_env("TRUSTED_PROXIES", "10.0.0.0/8,proxy").contains("proxy"));
    assert!(refused_env("NATS__REPLICAS", "2").contains("1, 3 or 5"));
    assert!(refused_env("NAMESPACE", "a.b").contains("letters"));
}

#[test]
fn who_may_use_the_api_is_a_list_of_origins() {
    let config = load_env(&[
        (
            "HTTP__ORIGINS",
            "https://chat.example, http://localhost:5173",
        ),
        ("HTTP__HOSTS", "chat.lan"),
    ]);
    assert_eq!(config.http.origins().count(), 2);
    assert_eq!(config.http.hosts().collect::<Vec<_>>(), ["chat.lan"]);
    for origin in [
        "*",
        "chat.example",
        "https://*.example",
        "https://a.example/x",
        "null",
    ] {
        assert!(
            refused_env("HTTP__ORIGINS", origin).contains("scheme://host"),
            "{origin}"
        );
    }
    assert!(refused_env("HTTP__HOSTS", "*").contains("names or addresses"));
}

#[test]
fn what_is_allowed_but_unwise_is_warned_about() {
    let warnings = load_env(&[("BCRYPT_COST", "4")]).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}
