//! Where settings come from.

use std::collections::BTreeSet;
use std::path::PathBuf;

use lingxi_runtime::config::load_from;

use super::{env, load_env, refused, refused_env, with_file};
use crate::config::{Config, Mode};

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
    let config = load_from::<Config>(sources).unwrap();
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
    let provider = load_from::<Config>(sources).unwrap().ai.providers.remove(0);
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
fn empty_variables_and_foreign_ones_are_left_alone() {
    let mut sources = env(&[("NATS_URL", "")]);
    sources
        .env
        .push(("LINGXI_LISTN".to_owned(), "x".to_owned()));
    assert_eq!(load_from::<Config>(sources).unwrap(), load_env(&[]));
}
