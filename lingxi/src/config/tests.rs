use std::collections::BTreeSet;

use lingxi_runtime::config::{Sources, load_from};

use super::*;

fn load_all(sources: Sources) -> Result<Config, Error> {
    load_from(sources)
}

fn env(pairs: &[(&str, &str)]) -> Sources {
    let pairs = pairs
        .iter()
        .map(|(key, value)| (format!("LINGXI__{key}"), (*value).to_owned()));
    Sources {
        env: pairs.collect(),
        ..Sources::default()
    }
}

fn with_file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lingxi.toml");
    std::fs::write(&path, text).unwrap();
    (
        folder,
        Sources {
            file: Some(path),
            ..Sources::default()
        },
    )
}

fn load_env(pairs: &[(&str, &str)]) -> Config {
    load_all(env(pairs)).unwrap()
}

fn refused(sources: Sources) -> String {
    let text = load_all(sources).unwrap_err().to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

fn refused_env(key: &str, value: &str) -> String {
    refused(env(&[(key, value)]))
}

#[test]
fn the_defaults_load_and_are_embedded() {
    let config = load_env(&[]);
    assert_eq!(config.listen, "127.0.0.1:8080");
    assert_eq!(config.mode().unwrap(), Mode::Embedded);
    assert_eq!(
        config.sqlite_path(),
        PathBuf::from("./lingxi-data/lingxi.db")
    );
    assert!(config.rate_limits.is_on() && config.ai.providers.is_empty());
    assert!(config.warnings().is_empty());
}

#[test]
fn the_default_file_names_every_key() {
    let known = lingxi_runtime::config::keys::<Config>().unwrap();
    let documented_file = Config::documented();
    let mut section = String::new();
    let mut documented = BTreeSet::new();
    for line in documented_file.lines() {
        let line = line.trim_start_matches("# ");
        if let Some(name) = line
            .strip_prefix("[[")
            .and_then(|line| line.strip_suffix("]]"))
        {
            section = format!("{name}.0.");
        } else if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            section = format!("{name}.");
        } else if let Some((key, _)) = line.split_once(" = ") {
            documented.insert(format!("{section}{key}"));
        }
    }
    assert_eq!(documented, known.into_iter().collect());
}

#[test]
fn later_sources_win() {
    let (_folder, mut sources) =
        with_file("listen = \"0.0.0.0:1\"\nbcrypt_cost = 11\n[ai]\nmax_steps = 3\n");
    sources.env = env(&[("BCRYPT_COST", "10"), ("AI__MAX_STEPS", "4")]).env;
    sources.overrides = vec![("ai.max_steps".to_owned(), "5".to_owned())];
    let config = load_all(sources).unwrap();
    assert_eq!(
        (
            config.listen.as_str(),
            config.bcrypt_cost,
            config.ai.max_steps
        ),
        ("0.0.0.0:1", 10, 5)
    );
}

#[test]
fn providers_come_from_numbered_variables_and_over_a_files_list() {
    let config = load_env(&[
        ("AI__PROVIDERS__1__NAME", "second"),
        ("AI__PROVIDERS__1__BASE_URL", "https://b.example/v1"),
        ("AI__PROVIDERS__1__MODEL", "m2"),
        ("AI__PROVIDERS__0__NAME", "first"),
        ("AI__PROVIDERS__0__BASE_URL", "http://127.0.0.1:1/v1"),
        ("AI__PROVIDERS__0__MODEL", "123"),
        ("AI__PROVIDERS__0__API_KEY", "007"),
        ("AI__PROVIDERS__0__IDLE_MS", "9"),
    ]);
    let [first, second] = config.ai.providers.as_slice() else {
        panic!("two providers")
    };
    assert_eq!(
        (first.name.as_str(), first.model.as_str(), first.idle_ms),
        ("first", "123", 9)
    );
    assert_eq!(first.api_key.as_ref().unwrap().expose(), "007");
    assert_eq!((second.name.as_str(), second.idle_ms), ("second", 20_000));

    let list = "[[ai.providers]]\nname = \"a\"\nbase_url = \"http://a/v1\"\nmodel = \"m\"\n";
    let (_folder, mut sources) = with_file(list);
    sources.env = env(&[("AI__PROVIDERS__0__API_KEY", "k")]).env;
    let provider = load_all(sources).unwrap().ai.providers.remove(0);
    assert_eq!(
        (provider.name.as_str(), provider.api_key.unwrap().expose()),
        ("a", "k")
    );
}

#[test]
fn unknown_keys_name_the_nearest() {
    assert_eq!(
        refused_env("LISTN", "x"),
        "LINGXI__LISTN: unknown key `listn`; the nearest known key is `listen`"
    );
    assert!(refused_env("AI__MODEL", "x").contains("`ai.providers.0.model`"));
    assert!(refused_env("POLICY", "x").contains("`sessions.policy`"));
    assert!(refused_env("AI", "x").contains("unknown key `ai`"));
    assert!(refused_env("AI__PROVIDERS__X__NAME", "x").contains("unknown key"));
    let (_folder, sources) = with_file("[rate]\nmesages_per_second = 3\n");
    let text = refused(sources);
    assert!(
        text.contains("lingxi.toml: unknown key `rate.mesages_per_second`"),
        "{text}"
    );
    assert!(text.ends_with("`rate.messages_per_second`"), "{text}");
    let (_folder, sources) = with_file("[[ai.providers]]\nnam = \"a\"\n");
    assert!(refused(sources).ends_with("`ai.providers.0.name`"));
}

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
fn empty_variables_and_foreign_ones_are_left_alone() {
    let mut sources = env(&[("NATS_URL", "")]);
    sources
        .env
        .push(("LINGXI_LISTN".to_owned(), "x".to_owned()));
    assert_eq!(load_all(sources).unwrap(), load_env(&[]));
}

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const CLUSTER: &[(&str, &str)] = &[
    ("DATABASE_URL", "mysql://u:p@h:3306/d"),
    ("NATS_URL", "nats://h:4222"),
    ("REDIS_URL", "redis://h:6379"),
    ("JWT_SECRET", SECRET),
    ("CLUSTER_TOKEN", SECRET),
];

#[test]
fn a_cluster_needs_all_its_parts() {
    assert_eq!(load_env(CLUSTER).mode().unwrap(), Mode::Cluster);
    for missing in [
        "DATABASE_URL",
        "NATS_URL",
        "REDIS_URL",
        "JWT_SECRET",
        "CLUSTER_TOKEN",
    ] {
        let rest: Vec<_> = CLUSTER
            .iter()
            .filter(|(key, _)| *key != missing)
            .copied()
            .collect();
        let text = load_env(&rest).mode().unwrap_err().to_string();
        let key = missing.to_lowercase();
        assert!(text.contains(&format!("needs {key}")), "{text}");
    }
    let mut parts = CLUSTER.to_vec();
    parts[0] = ("DATABASE__HOST", "db");
    assert_eq!(load_env(&parts).mode().unwrap(), Mode::Cluster);
}

/// In one process as in a cluster: whoever guesses the secret forges tokens in both.
#[test]
fn weak_secrets_are_refused_in_every_mode() {
    let spaces = " ".repeat(40);
    for key in ["JWT_SECRET", "CLUSTER_TOKEN"] {
        for weak in [
            "x",
            "0123456789abcdef0123456789abcde",
            "change-me-change-me-change-me-change-me",
            "please CHANGE_ME to something with 32 bytes",
            &spaces,
            "   0123456789abcdef0123456789     ",
        ] {
            for others in [&[], CLUSTER] {
                let mut pairs: Vec<_> = others.to_vec();
                pairs.retain(|(name, _)| *name != key);
                pairs.push((key, weak));
                let text = refused(env(&pairs));
                let expected = format!("(from LINGXI__{key})");
                assert!(
                    text.contains("32 random bytes") && text.contains(&expected),
                    "{text}"
                );
                assert!(
                    !text.contains(weak.trim()) || weak.trim().len() < 2,
                    "{text}"
                );
            }
        }
        load_env(&[(key, SECRET)]);
    }
    let (_folder, sources) = with_file("jwt_secret = \"x\"\n");
    assert!(refused(sources).contains("32 random bytes"));
}

#[test]
fn a_cluster_refuses_the_placeholder_in_a_url() {
    for (at, key, url) in [
        (0, "database_url", "mysql://u:change-me@h:3306/d"),
        (1, "nats_url", "nats://u:Change-Me-1@h"),
        (2, "redis_url", "redis://:changeme@h"),
    ] {
        let mut parts = CLUSTER.to_vec();
        parts[at].1 = url;
        let text = load_env(&parts).mode().unwrap_err().to_string();
        assert!(text.contains(key) && text.contains("placeholder"), "{text}");
    }
}

#[test]
fn a_cluster_refuses_the_examples_password() {
    let mut parts = CLUSTER.to_vec();
    parts.push(("DATABASE__HOST", "db"));
    parts.push(("DATABASE__PASSWORD", "change-me"));
    let text = load_env(&parts).mode().unwrap_err().to_string();
    assert!(text.contains("database.password"), "{text}");
}

#[test]
fn a_role_alone_needs_a_cluster() {
    let text = load_env(&[])
        .require_cluster("gateway")
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("`lingxi gateway`") && text.contains("nats_url"),
        "{text}"
    );
    load_env(CLUSTER).require_cluster("gateway").unwrap();
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
fn a_sqlite_url_is_embedded() {
    let config = load_env(&[("DATABASE_URL", "sqlite:/tmp/a.db")]);
    assert_eq!(
        (config.mode().unwrap(), config.sqlite_path()),
        (Mode::Embedded, "/tmp/a.db".into())
    );
    assert_eq!(
        load_env(&[("DATABASE_URL", "sqlite:///tmp/a.db")]).sqlite_path(),
        PathBuf::from("/tmp/a.db")
    );
}

#[test]
fn the_masked_form_shows_values_but_no_secret() {
    let config = load_env(&[
        ("JWT_SECRET", "hunter2-jwt-0123456789abcdef0123456789"),
        ("CLUSTER_TOKEN", "hunter2-token-0123456789abcdef01234567"),
        ("DATABASE__PASSWORD", "hunter2-db"),
        ("NATS_URL", "nats://hunter2-nats@h:4222"),
        ("REDIS_URL", "redis://u:hunter2/@:x@h"),
        ("AI__PROVIDERS__0__NAME", "first"),
        (
            "AI__PROVIDERS__0__BASE_URL",
            "http://me:hunter2@127.0.0.1:1/v1",
        ),
        ("AI__PROVIDERS__0__MODEL", "m"),
        ("AI__PROVIDERS__0__API_KEY", "hunter2-key"),
    ]);
    let masked = config.masked_toml();
    assert!(!masked.contains("hunter2"), "{masked}");
    assert!(
        masked.contains("listen = \"127.0.0.1:8080\"") && masked.contains("nats://***@h:4222"),
        "{masked}"
    );
    assert!(
        masked.contains("[[ai.providers]]") && masked.contains("redis://u:***@h"),
        "{masked}"
    );
    assert!(masked.parse::<toml::Table>().is_ok(), "{masked}");
    for url in [
        "lingxi:hunter2@nats:4222",
        "lingxi:hunter2@a:4222,nats://b:4222",
        "nats://a:4222,lingxi:hunter2@b",
        "hunter2@nats",
    ] {
        let masked = load_env(&[("NATS_URL", url)]).masked_toml();
        assert!(
            !masked.contains("hunter2") && masked.contains("***@"),
            "{masked}"
        );
    }
    assert!(!format!("{config:?}").contains("hunter2-jwt"));
}

#[test]
fn what_is_allowed_but_unwise_is_warned_about() {
    let warnings = load_env(&[("BCRYPT_COST", "4")]).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
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
    let secret = load_all(sources).unwrap().jwt_secret.unwrap();
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
fn keys_that_cannot_be_sent_are_refused_by_name() {
    for key in ["sk-…", "sk\u{7f}1", "秘密"] {
        let text = refused(env(&[
            ("AI__PROVIDERS__0__NAME", "a"),
            ("AI__PROVIDERS__0__BASE_URL", "http://a/v1"),
            ("AI__PROVIDERS__0__MODEL", "m"),
            ("AI__PROVIDERS__0__API_KEY", key),
        ]));
        assert!(
            text.contains("ai.providers.0.api_key") && !text.contains(key),
            "{text}"
        );
    }
}

#[test]
fn secrets_and_urls_can_be_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let secret = file("secret", &format!("{SECRET}\n"));
    let url = file("url", "nats://u:p@h:4222\r\n");
    let config = load_env(&[
        ("JWT_SECRET_FILE", &secret),
        ("CLUSTER_TOKEN_FILE", &secret),
        ("DATABASE__PASSWORD_FILE", &secret),
        ("NATS_URL_FILE", &url),
        ("AI__PROVIDERS__0__NAME", "a"),
        ("AI__PROVIDERS__0__BASE_URL", "http://a/v1"),
        ("AI__PROVIDERS__0__MODEL", "m"),
        ("AI__PROVIDERS__0__API_KEY_FILE", &secret),
        ("NATS__CA_FILE", "/ca.pem"),
    ]);
    for found in [
        config.jwt_secret,
        config.cluster_token,
        config.database.password,
        config.ai.providers[0].api_key.clone(),
    ] {
        assert_eq!(found.unwrap().expose(), SECRET);
    }
    assert_eq!(config.nats_url.as_deref(), Some("nats://u:p@h:4222"));
    assert_eq!(config.nats.ca_file, Some("/ca.pem".into()));

    let nowhere = folder.path().join("nowhere").display().to_string();
    let nothing = file("nothing", "\n");
    let short = file("short", "hunter2\n");
    let large = file("large", &"x".repeat(70_000));
    let folder = folder.path().display().to_string();
    for (path, says) in [
        (&nowhere, "No such file"),
        (&nothing, "holds nothing"),
        (&short, "32 random bytes"),
        (&large, "64 KiB"),
        (&folder, "directory"),
    ] {
        let text = refused_env("JWT_SECRET_FILE", path);
        assert!(
            text.contains("LINGXI__JWT_SECRET_FILE") && text.contains(says),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }
    let text = refused(env(&[("JWT_SECRET", SECRET), ("JWT_SECRET_FILE", &secret)]));
    assert!(text.contains("LINGXI__JWT_SECRET and"), "{text}");
    load_env(&[("JWT_SECRET", ""), ("JWT_SECRET_FILE", &secret)]);
    // What is no secret is no file.
    assert!(refused_env("LISTEN_FILE", &secret).contains("unknown key"));
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
fn the_advertised_address_is_the_bound_one_unless_set() {
    let config = load_env(&[]);
    assert_eq!(
        config.grpc_advertise("10.1.2.3:99".parse().unwrap(), None),
        "10.1.2.3:99"
    );
    assert_eq!(
        config.grpc_advertise("0.0.0.0:99".parse().unwrap(), None),
        "127.0.0.1:99"
    );
    assert_eq!(
        config.grpc_advertise("[::]:99".parse().unwrap(), None),
        "[::1]:99"
    );
    assert_eq!(
        config.grpc_advertise(
            "0.0.0.0:99".parse().unwrap(),
            Some("10.1.2.3".parse().unwrap())
        ),
        "10.1.2.3:99"
    );
    let config = load_env(&[("GRPC_ADVERTISE", "node-3:9090")]);
    assert_eq!(
        config.grpc_advertise("0.0.0.0:99".parse().unwrap(), None),
        "node-3:9090"
    );
}
