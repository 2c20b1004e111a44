//! Every list ends a page somewhere, and the pages are the whole.

use serde_json::{Value, json};

use crate::harness::{Mode, User};

behaviours!(
    what_a_user_has_comes_in_pages,
    no_page_is_longer_than_two_hundred,
);

/// Rows of the page behind `after`, and whether there are more.
async fn page(user: &User, path: &str, list: &str, query: &str) -> (Vec<Value>, bool) {
    let between = if path.contains('?') { '&' } else { '?' };
    let reply = user.get(&format!("{path}{between}{query}")).await.ok();
    let rows = reply[list].as_array().expect("a list").clone();
    (rows, reply["has_more"] == true)
}

async fn what_a_user_has_comes_in_pages(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    let group = alice.create_group("Tee 0").await;
    for n in 1..5 {
        alice.create_group(&format!("Tee {n}")).await;
        let pal = lx.user(&format!("pal{n}")).await;
        let path = "contact/add";
        alice.post(path, json!({"username": pal.name})).await.ok();
        pal.post("group/join", json!({"group_id": group}))
            .await
            .ok();
    }
    let members = format!("group/members?group_id={group}");
    for (path, list, key, count) in [
        ("group/mygroups", "groups", "id", 5),
        ("contact/list", "contacts", "username", 4),
        (members.as_str(), "members", "username", 5),
    ] {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let (rows, more) = page(&alice, path, list, &format!("limit=2{after}")).await;
            assert!(rows.len() <= 2 && !rows.is_empty(), "{path}: {rows:?}");
            let last = rows.last().expect("a row")[key].to_string();
            after = format!("&after={}", last.trim_matches('"'));
            all.extend(rows.iter().map(|row| row[key].to_string()));
            if !more {
                break;
            }
        }
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count, "{path}: {all:?}");
    }
}

async fn no_page_is_longer_than_two_hundred(mode: Mode) {
    let lx = mode.start().await;
    let alice = lx.user("alice").await;
    for n in 0..203 {
        alice.create_group(&format!("Tee {n}")).await;
    }
    for query in ["", "limit=1000"] {
        let (rows, more) = page(&alice, "group/mygroups", "groups", query).await;
        assert_eq!((rows.len(), more), (200, true), "{query}");
    }
}
