//! Secrets: strong, from files, never shown.

use super::{CLUSTER, SECRET, env, load_env, refused, refused_env, with_file};

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
