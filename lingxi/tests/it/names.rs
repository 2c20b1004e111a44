//! Names in people's own scripts, names that nobody can see, and names that pose as others.

use serde_json::json;

use crate::harness::{Mode, Rest};

behaviours!(
    people_register_in_their_own_scripts,
    one_name_is_one_account_however_it_is_written,
    what_nobody_can_see_is_refused,
    lookalikes_are_refused,
    a_name_is_one_line,
    passwords_are_prepared,
);

const PASSWORD: &str = "correct horse";

async fn people_register_in_their_own_scripts(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    for name in [
        "हिन्दी",
        "น้ำ",
        "தமிழ்",
        "José",
        "محمد",
        "אברהם",
        "한글",
        "می\u{200c}خواهم",
        "အောင်",
        "小明",
    ] {
        rest.register(name, PASSWORD).await.ok();
        let login = rest.login(name, PASSWORD).await.ok();
        assert_eq!(login["user"]["username"], name, "as it was registered");
        assert_eq!(login["user"]["nickname"], name);
    }
    for (at, nickname) in [
        "👨\u{200d}👩\u{200d}👧 ok",
        "1\u{fe0f}\u{20e3}",
        "🇨🇳 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "玛丽·居里",
        "❤\u{fe0f}",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("nick{at}");
        let body = json!({"username": name, "password": PASSWORD, "nickname": nickname});
        rest.post("user/register", body).await.ok();
        let login = rest.login(&name, PASSWORD).await.ok();
        assert_eq!(login["user"]["nickname"], nickname);
    }
}

async fn one_name_is_one_account_however_it_is_written(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    for (name, others) in [
        ("José", ["Jose\u{301}", "JOSE\u{301}", "ＪＯＳÉ"]),
        (
            "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}",
            [
                "한글",
                "\u{1112}\u{1161}\u{11ab}글",
                "한\u{1100}\u{1173}\u{11af}",
            ],
        ),
        ("ｃａｒｏｌ", ["carol", "CAROL", "Ｃａｒｏｌ"]),
    ] {
        rest.register(name, PASSWORD).await.ok();
        let id = rest.login(name, PASSWORD).await.ok()["user"]["id"].clone();
        for other in others {
            rest.register(other, PASSWORD)
                .await
                .fails(409, "username_taken");
            assert_eq!(rest.login(other, PASSWORD).await.ok()["user"]["id"], id);
        }
    }
    // Whoever is written to is found by any form, too.
    let dave = lx.user("dave").await;
    for name in ["ＣＡＲＯＬ", "Jose\u{301}", "한글"] {
        dave.post("contact/add", json!({"username": name}))
            .await
            .ok();
    }
    let contacts = dave.get("contact/list").await.ok();
    let names = contacts["contacts"].as_array().expect("contacts").iter();
    let names: Vec<&str> = names.filter_map(|c| c["username"].as_str()).collect();
    assert_eq!(names, ["carol", "José", "한글"], "in composed characters");
}

/// Registers a user of that nickname.
async fn nicknamed(rest: &Rest, nickname: &str) -> crate::harness::Reply {
    let body = json!({"username": "nobody", "password": PASSWORD, "nickname": nickname});
    rest.post("user/register", body).await
}

const UNSEEN: &[&str] = &[
    "\u{3164}",
    "\u{115f}",
    "\u{200b}",
    "\u{2800}",
    "\u{2060}",
    "\u{202e}bob",
    "bob\u{3164}",
    "bob\u{200b}",
    "a\u{200d}b",
    "a\u{2066}b",
    "\u{feff}a",
    "a\u{ad}b",
    "q\u{301}\u{302}\u{303}\u{304}\u{305}",
];

async fn what_nobody_can_see_is_refused(mode: Mode) {
    let lx = mode.start().await;
    let (rest, alice) = (lx.anonymous(), lx.user("alice").await);
    for name in UNSEEN {
        rest.register(name, PASSWORD).await.blames("username");
        nicknamed(&rest, name).await.blames("nickname");
        alice
            .post("group/create", json!({"name": name}))
            .await
            .blames("name");
    }
    lx.user("bob").await;
    let remark = json!({"username": "bob", "remark": "a\u{202e}b"});
    alice.post("contact/add", remark).await.blames("remark");
}

async fn lookalikes_are_refused(mode: Mode) {
    let lx = mode.start().await;
    let (rest, alice) = (lx.anonymous(), lx.user("alice").await);
    for name in ["ＡＩ", "lіngxi", "灵犀", "LINGXI", "Iingxi", "ѕystem", "АI"] {
        rest.register(name, PASSWORD).await.blames("username");
        nicknamed(&rest, name).await.blames("nickname");
        alice
            .post("group/create", json!({"name": name}))
            .await
            .blames("name");
    }
    for name in ["灵犀 ", "【灵犀】", "𝐥𝐢𝐧𝐠𝐱𝐢"] {
        nicknamed(&rest, name).await.blames("nickname");
    }
    for name in [
        "Group_7",
        "ｇｒｏｕｐ＿４２",
        "grоup_42",
        "group_४२",
        "admin",
    ] {
        rest.register(name, PASSWORD).await.blames("username");
    }
    for name in ["аlice", "AlісE", "аӏісе"] {
        rest.register(name, PASSWORD)
            .await
            .fails(409, "username_taken");
    }
    // Within a script everybody sees what is written.
    rest.register("corn", PASSWORD).await.ok();
    rest.register("com", PASSWORD).await.ok();
    rest.register("алиса", PASSWORD).await.ok();
}

async fn a_name_is_one_line(mode: Mode) {
    let lx = mode.start().await;
    let (rest, alice) = (lx.anonymous(), lx.user("alice").await);
    lx.user("bob").await;
    for end in [
        "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}", "\u{c}",
    ] {
        let name = format!("bob{end}系统: x");
        rest.register(&name, PASSWORD).await.blames("username");
        nicknamed(&rest, &name).await.blames("nickname");
        alice
            .post("group/create", json!({"name": name}))
            .await
            .blames("name");
        let remark = json!({"username": "bob", "remark": name});
        alice.post("contact/add", remark).await.blames("remark");
    }
    // Announcements have lines, and nothing else that a screen obeys.
    let body = json!({"name": "tea", "announcement": "one\r\ntwo\u{2028}three"});
    let group = alice.post("group/create", body).await.ok()["id"].clone();
    let info = alice.get(&format!("group/info?group_id={group}")).await;
    assert_eq!(info.ok()["announcement"], "one\ntwo\nthree");
    let body = json!({"name": "tea", "announcement": "\u{1b}[2J"});
    alice
        .post("group/create", body)
        .await
        .blames("announcement");
}

async fn passwords_are_prepared(mode: Mode) {
    let lx = mode.start().await;
    let rest = lx.anonymous();
    rest.register("alice", "cafe\u{301}\u{3000}noir").await.ok();
    for same in ["caf\u{e9} noir", "cafe\u{301} noir", "caf\u{e9}\u{a0}noir"] {
        rest.login("alice", same).await.ok();
    }
    for other in ["cafe noir", "CAFÉ noir", "ｃafé noir"] {
        rest.login("alice", other)
            .await
            .fails(401, "invalid_credentials");
    }
    for bad in [
        "abc\tdef",
        "abcdef\u{85}",
        "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
    ] {
        rest.register("bob", bad).await.blames("password");
    }
}
