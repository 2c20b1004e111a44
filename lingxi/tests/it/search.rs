//! Finding people and groups: in any case, form and script, page by page, also what was stored by the version before.

use serde_json::{Value, json};

use crate::harness::{Mode, User};

behaviours!(
    search_knows_no_case_in_any_script,
    results_come_in_pages,
    bad_keywords_are_refused,
);

fn names(answer: &Value, list: &str, field: &str) -> Vec<String> {
    let rows = answer[list].as_array().expect("a list").iter();
    rows.map(|row| row[field].as_str().expect("a name").to_owned())
        .collect()
}

/// Searches; the keyword is encoded.
async fn found(user: &User, what: &str, keyword: &str) -> Value {
    let mut url = reqwest::Url::parse("http://x").expect("a URL");
    url.query_pairs_mut().append_pair("keyword", keyword);
    let query = url.query().unwrap_or_default();
    user.get(&format!("{what}/search?{query}")).await.ok()
}

async fn search_knows_no_case_in_any_script(mode: Mode) {
    let lx = mode.start().await;
    let (alice, rest) = (lx.user("alice").await, lx.anonymous());
    for (name, nickname) in [
        ("u1", "Алиса"),
        ("u2", "ÄRGER"),
        ("u3", "Straße"),
        ("u4", "ＡＢＣ店"),
        ("u5", "İstanbul"),
        ("u6", "Σίσυφος"),
    ] {
        let body = json!({"username": name, "password": "correct horse", "nickname": nickname});
        rest.post("user/register", body).await.ok();
        alice.create_group(nickname).await;
    }
    for (keyword, name, group) in [
        ("алиса", "u1", "Алиса"),
        ("АЛИС", "u1", "Алиса"),
        ("иса", "u1", "Алиса"),
        ("ärger", "u2", "ÄRGER"),
        ("a\u{308}rg", "u2", "ÄRGER"),
        ("strasse", "u3", "Straße"),
        ("STRASSE", "u3", "Straße"),
        ("abc", "u4", "ABC店"),
        ("ｂｃ", "u4", "ABC店"),
        ("店", "u4", "ABC店"),
        ("istanbul", "u5", "İstanbul"),
        ("ISTAN", "u5", "İstanbul"),
        ("ΣΊΣΥΦΟΣ", "u6", "Σίσυφος"),
        ("U6", "u6", ""),
    ] {
        let users = found(&alice, "user", keyword).await;
        assert_eq!(names(&users, "users", "username"), [name], "{keyword}");
        assert_eq!(users["has_more"], false);
        if !group.is_empty() {
            let groups = found(&alice, "group", keyword).await;
            assert_eq!(names(&groups, "groups", "name"), [group], "{keyword}");
        }
    }
    for keyword in ["arger", "xyz", "%", "_", "u1 u2"] {
        let users = found(&alice, "user", keyword).await;
        assert!(names(&users, "users", "username").is_empty(), "{keyword}");
    }
}

async fn results_come_in_pages(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let rest = lx.anonymous();
    for n in 0..7 {
        rest.register(&format!("pal{n}"), "correct horse")
            .await
            .ok();
        alice.create_group(&format!("Tee {n}")).await;
    }
    for (what, list, field, keyword) in [
        ("user", "users", "username", "PAL"),
        ("group", "groups", "name", "tee"),
    ] {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let path = format!("{what}/search?keyword={keyword}&limit=3{after}");
            let page = alice.get(&path).await.ok();
            let rows = page[list].as_array().expect("a list");
            assert!(rows.len() <= 3);
            after = format!("&after={}", rows.last().expect("a row")["id"]);
            all.extend(names(&page, list, field));
            if page["has_more"] != true {
                break;
            }
        }
        assert_eq!(all.len(), 7, "{all:?}");
        assert!(all.is_sorted(), "{all:?}");
    }
    // A group is also found by its id, first.
    let id = alice.create_group("another").await;
    let groups = alice
        .get(&format!("group/search?keyword={id}&limit=1"))
        .await;
    assert_eq!(groups.ok()["groups"][0]["id"], id);
}

async fn bad_keywords_are_refused(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    for what in ["user", "group"] {
        for bad in [
            "",
            "%20",
            "%E2%80%8B",
            "a%0Ab",
            "a%E2%80%A8b",
            &"x".repeat(65),
        ] {
            alice
                .get(&format!("{what}/search?keyword={bad}"))
                .await
                .blames("keyword");
        }
        alice
            .get(&format!("{what}/search?keyword=a&after=x"))
            .await
            .blames("after");
    }
}
