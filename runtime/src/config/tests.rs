use std::collections::BTreeSet;

use super::*;

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
    Config::load_from(env(pairs)).unwrap()
}

fn refused(sources: Sources) -> String {
    let text = Config::load_from(sources).unwrap_err().to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    text
}

fn refused_env(key: &str, value: &str) -> String {
    refused(env(&[(key, value)]))
}

#[test]
fn the_defaults_load_and_are_embedded() {
    let config = Config::defaults().unwrap();
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
    let known = known::Keys::of(&Config::defaults().unwrap()).leaves();
    let mut section = String::new();
    let mut documented = BTreeSet::new();
    for line in DEFAULT_TOML.lines() {
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
fn the_sample_of_default_timeouts_is_true() {
    let provider = Provider::new("a", "http://b", "c");
    for (key, value) in [
        ("connect_ms", provider.connect_ms),
        ("first_token_ms", provider.first_token_ms),
        ("idle_ms", provider.idle_ms),
        ("total_ms", provider.total_ms),
    ] {
        assert!(
            DEFAULT_TOML.contains(&format!("# {key} = {value} ")),
            "{key} = {value}"
        );
    }
}

#[test]
fn later_sources_win() {
    let (_folder, mut sources) =
        with_file("listen = \"0.0.0.0:1\"\nbcrypt_cost = 11\n[ai]\nmax_steps = 3\n");
    sources.env = env(&[("BCRYPT_COST", "10"), ("AI__MAX_STEPS", "4")]).env;
    sources.overrides = vec![("ai.max_steps".to_owned(), "5".to_owned())];
    let config = Config::load_from(sources).unwrap();
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
    let provider = Config::load_from(sources).unwrap().ai.providers.remove(0);
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
    assert_eq!(
        Config::load_from(sources).unwrap(),
        Config::defaults().unwrap()
    );
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

#[test]
fn a_cluster_refuses_weak_secrets() {
    for weak in ["short", "change-me-change-me-change-me-change-me"] {
        let mut parts = CLUSTER.to_vec();
        parts[3] = ("JWT_SECRET", weak);
        let text = load_env(&parts).mode().unwrap_err().to_string();
        assert!(
            text.contains("jwt_secret") && !text.contains(weak),
            "{text}"
        );
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
    let text = Config::defaults()
        .unwrap()
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
        ("JWT_SECRET", "hunter2-jwt"),
        ("CLUSTER_TOKEN", "hunter2-token"),
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
    let warnings = load_env(&[("BCRYPT_COST", "4"), ("JWT_SECRET", "short")]).warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(!warnings.concat().contains("short\""));
}

#[test]
fn the_advertised_address_is_the_bound_one_unless_set() {
    let config = Config::defaults().unwrap();
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
