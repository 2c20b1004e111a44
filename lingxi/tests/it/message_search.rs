//! Searching what was said.

use serde_json::{Value, json};

use crate::harness::{Mode, User, png, until};

behaviours!(
    words_are_found_in_every_script,
    only_ones_own_conversations_are_searched,
    what_was_recalled_or_edited_is_not_found,
    filters_narrow_the_search,
    files_are_found_by_their_names_and_kinds,
    results_come_in_pages_newest_first,
    bad_searches_are_refused,
    messages_are_found_after_a_crash,
);

/// Searches; the values are encoded.
async fn search(user: &User, query: &[(&str, &str)]) -> Value {
    let mut url = reqwest::Url::parse("http://x").expect("a URL");
    url.query_pairs_mut().extend_pairs(query);
    let query = url.query().unwrap_or_default();
    let answer = user.get(&format!("message/search?{query}")).await.ok();
    assert_eq!(answer.get("indexing"), None, "all of it is searched");
    answer
}

fn contents(answer: &Value) -> Vec<String> {
    let messages = answer["messages"].as_array().expect("messages").iter();
    messages
        .map(|message| message["content"].as_str().expect("a text").to_owned())
        .collect()
}

async fn found(user: &User, keyword: &str) -> Vec<String> {
    contents(&search(user, &[("keyword", keyword)]).await)
}

/// Says each of these and waits until it is stored.
async fn say(from: &User, to: &str, texts: &[&str]) {
    let mut ws = from.connect().await;
    for text in texts {
        let msg_id = format!("{text:.40}");
        ws.say(to, &msg_id, text).await;
        ws.stored(&msg_id).await;
    }
    ws.close().await;
}

async fn words_are_found_in_every_script(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let texts = [
        "今天天气很好",
        "Straße und Ärger",
        "meet me at 10:30 👍🏽",
        "ПРИВЕТ мир",
        "ภาษาไทย",
        "C++ or Rust?",
        "<script>alert(1)</script> needle",
    ];
    say(&alice, "bob", &texts).await;
    // From the messages that are not yet in the index, and then from the index.
    for round in 0..2 {
        for (keyword, number) in [
            ("天气", 0),
            ("好", 0),
            ("STRASSE", 1),
            ("är", 1),
            ("👍", 2),
            ("10:30", 2),
            ("meet 10", 2),
            ("привет", 3),
            ("ไทย", 4),
            ("c++", 5),
            ("needle", 6),
        ] {
            for user in [&alice, &bob] {
                assert_eq!(found(user, keyword).await, [texts[number]], "{keyword}");
            }
        }
        for keyword in ["天好", "traße", "rust c+++", "nothing"] {
            assert_eq!(found(&bob, keyword).await, [""; 0], "{keyword}");
        }
        if round == 0 {
            indexed(&lx, texts.len()).await;
        }
    }
    let answer = search(&bob, &[("keyword", "天气")]).await;
    let snippet = &answer["messages"][0]["snippet"];
    assert_eq!(snippet["text"], texts[0]);
    assert_eq!(snippet["marks"], json!([[2, 4]]));
    assert_eq!(answer["messages"][0]["from"], "alice");
    assert_eq!(answer["has_more"], false);
}

/// Waits until so many messages have gone into the index.
async fn indexed(lx: &crate::harness::Deployment, messages: usize) {
    until("the index has the messages", async || {
        let mut count = 0.0;
        for node in 0..lx.roles().len() {
            if lx.roles()[node] != "chat-worker" && lx.mode() == Mode::Cluster {
                continue;
            }
            let metrics = reqwest::get(lx.internal_url(node, "/metrics")).await;
            let metrics = metrics.expect("an answer").text().await.expect("a text");
            let lines = metrics.lines();
            let name = "lingxi_search_indexed_messages_total ";
            let values = lines.filter_map(|line| line.strip_prefix(name));
            count += values
                .map(|value| value.parse::<f64>().expect("a number"))
                .sum::<f64>();
        }
        count >= messages as f64
    })
    .await;
}

async fn only_ones_own_conversations_are_searched(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    say(&alice, "bob", &["a needle for bob"]).await;
    let group = alice.create_group("sewing").await;
    let mut a = alice.connect().await;
    a.say_in(group, "before", "a needle before carol").await;
    a.stored("before").await;
    carol.join(group).await.ok();
    a.say_in(group, "with", "a needle with carol").await;
    a.stored("with").await;
    alice.kick(group, "carol").await.ok();
    a.say_in(group, "after", "a needle after carol").await;
    let (id, _) = a.stored("after").await;
    // What was said to her stays; what it was made into afterwards was not said to her.
    assert_eq!(found(&carol, "needle").await, ["a needle with carol"]);
    let history = alice.history(&format!("group_id={group}")).await;
    let with = history.iter().find(|m| m["msg_id"] == "with").expect("it");
    let body = json!({"id": with["id"], "content": "a needle, later"});
    alice.put("message/edit", body).await.ok();
    assert_eq!(found(&carol, "needle").await, [""; 0]);
    assert_eq!(found(&bob, "needle").await, ["a needle for bob"]);
    let all = [
        "a needle after carol",
        "a needle, later",
        "a needle before carol",
        "a needle for bob",
    ];
    assert_eq!(found(&alice, "needle").await, all);
    let strange = search(&alice, &[("keyword", "needle"), ("limit", "1")]).await;
    assert_eq!(strange["messages"][0]["id"], id);
    let query = format!("message/search?keyword=needle&group_id={group}");
    bob.get(&query).await.fails(403, "not_member");
}

async fn what_was_recalled_or_edited_is_not_found(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    say(&alice, "bob", &["the first secret", "the second secret"]).await;
    indexed(&lx, 2).await;
    let answer = search(&bob, &[("keyword", "secret")]).await;
    let id = |number: usize| answer["messages"][number]["id"].clone();
    alice
        .post("message/recall", json!({"id": id(0)}))
        .await
        .ok();
    let body = json!({"id": id(1), "content": "nothing to hide"});
    alice.put("message/edit", body).await.ok();
    for user in [&alice, &bob] {
        assert_eq!(found(user, "secret").await, [""; 0]);
        assert_eq!(found(user, "hide").await, ["nothing to hide"]);
    }
}

async fn filters_narrow_the_search(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob, carol) = lx.three().await;
    say(&alice, "bob", &["tea at one"]).await;
    say(&bob, "alice", &["tea at two"]).await;
    say(&carol, "alice", &["tea at three"]).await;
    let all = search(&alice, &[("keyword", "tea")]).await;
    assert_eq!(contents(&all), ["tea at three", "tea at two", "tea at one"]);
    let time = all["messages"][1]["created_at"].to_string();
    let key = all["messages"][1]["conversation"].as_str().expect("a key");
    for (filter, value, expected) in [
        ("username", "bob", &["tea at two", "tea at one"][..]),
        ("conversation", key, &["tea at two", "tea at one"]),
        ("from", "BOB", &["tea at two"]),
        ("from", "alice", &["tea at one"]),
        ("since", &time, &["tea at three", "tea at two"]),
        ("until", &time, &["tea at one"]),
    ] {
        let answer = search(&alice, &[("keyword", "tea"), (filter, value)]).await;
        assert_eq!(contents(&answer), expected, "{filter}={value}");
    }
    let both = search(
        &alice,
        &[("keyword", "tea"), ("username", "carol"), ("from", "bob")],
    )
    .await;
    assert_eq!(contents(&both), [""; 0]);
}

async fn files_are_found_by_their_names_and_kinds(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let picture = alice
        .upload("holiday 海边.png", "image/png", &png(8, 8))
        .await
        .ok();
    let notes = alice
        .upload("holiday.txt", "text/plain", b"pack a towel")
        .await
        .ok();
    let mut a = alice.connect().await;
    for (msg_id, content, file) in [
        ("1", "", &picture["id"]),
        ("2", "read this", &notes["id"]),
        ("3", "my holiday", &Value::Null),
    ] {
        let message =
            json!({"type": 2, "msg_id": msg_id, "to": "bob", "content": content, "file": file});
        a.send(message).await;
        a.stored(msg_id).await;
    }
    for round in 0..2 {
        for (kind, expected) in [
            ("", &["my holiday", "read this", ""][..]),
            ("text", &["my holiday"]),
            ("file", &["read this", ""]),
            ("image", &[""]),
            ("video", &[]),
        ] {
            let mut query = vec![("keyword", "holiday"), ("kind", kind)];
            query.retain(|(_, value)| !value.is_empty());
            assert_eq!(contents(&search(&bob, &query).await), expected, "{kind}");
        }
        let found = search(&bob, &[("keyword", "海边")]).await;
        assert_eq!(found["messages"][0]["snippet"]["text"], "holiday 海边.png");
        if round == 0 {
            indexed(&lx, 3).await;
        }
    }
    let wrong = bob.get("message/search?keyword=holiday&kind=folder").await;
    wrong.fails(400, "invalid_request");
}

async fn results_come_in_pages_newest_first(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = alice.create_group("counters").await;
    bob.join(group).await.ok();
    let mut a = alice.connect().await;
    let mut all = Vec::new();
    for number in 0..45 {
        let text = format!("number {number:02}");
        if number % 3 == 0 {
            a.say("bob", &text, &text).await;
        } else {
            a.say_in(group, &text, &text).await;
        }
        a.stored(&text).await;
        all.insert(0, text);
    }
    let mut read = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let mut query = vec![("keyword", "number"), ("limit", "10")];
        if let Some(before) = &before {
            query.push(("before", before));
        }
        let page = search(&bob, &query).await;
        read.extend(contents(&page));
        if page["has_more"] == false {
            assert_eq!(page.get("next"), None);
            break;
        }
        before = Some(page["next"].to_string());
    }
    assert_eq!(read, all);
}

async fn bad_searches_are_refused(mode: Mode) {
    let lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    let group = bob.create_group("others").await;
    for (query, status, code) in [
        ("", 400, "invalid_request"),
        ("keyword=", 400, "invalid_request"),
        ("keyword=a", 400, "invalid_request"),
        ("keyword=%21%3F", 400, "invalid_request"),
        (
            &format!("keyword={}", "a".repeat(129)),
            400,
            "invalid_request",
        ),
        ("keyword=a+b+c+d+e+f+g+h+ii", 400, "invalid_request"),
        ("keyword=tea&limit=0", 400, "invalid_request"),
        ("keyword=tea&before=x", 400, "invalid_request"),
        ("keyword=tea&since=-1", 400, "invalid_request"),
        ("keyword=tea&conversation=x", 400, "invalid_request"),
        (
            "keyword=tea&username=bob&group_id=1",
            400,
            "invalid_request",
        ),
        ("keyword=tea&from=nobody", 404, "user_not_found"),
        ("keyword=tea&username=nobody", 404, "user_not_found"),
        ("keyword=tea&group_id=999999", 404, "group_not_found"),
        (&format!("keyword=tea&group_id={group}"), 403, "not_member"),
        ("keyword=tea&conversation=d:98:99", 403, "forbidden"),
    ] {
        let answer = alice.get(&format!("message/search?{query}")).await;
        answer.fails(status, code);
    }
    let anonymous = lx.anonymous();
    anonymous
        .get("message/search?keyword=tea")
        .await
        .fails(401, "unauthorized");
    // A keyword is a value, whatever stands in it.
    for keyword in [
        "' OR 1=1 --",
        "tea\"; DROP TABLE entries",
        "%_ee",
        "te\\",
        "*",
    ] {
        let mut url = reqwest::Url::parse("http://x").expect("a URL");
        url.query_pairs_mut().append_pair("keyword", keyword);
        let query = url.query().unwrap_or_default();
        let answer = alice.get(&format!("message/search?{query}")).await;
        assert!([200, 400].contains(&answer.status), "{keyword}: {answer:?}");
    }
}

async fn messages_are_found_after_a_crash(mode: Mode) {
    let mut lx = mode.start().await;
    let (alice, bob) = (lx.user("alice").await, lx.user("bob").await);
    say(&alice, "bob", &["an old needle", "a pin"]).await;
    lx.kill9().await;
    lx.restart().await;
    assert_eq!(found(&bob, "needle").await, ["an old needle"]);
    say(&alice, "bob", &["a new needle"]).await;
    assert_eq!(
        found(&bob, "needle").await,
        ["a new needle", "an old needle"]
    );
}
