use super::{body, query};

fn shown(text: &str) -> String {
    body(text.as_bytes())
}

#[test]
fn ordinary_bodies_are_shown_as_they_are() {
    for text in [
        r#"{"username":"bob","n":[1,-2.5e3,true,null]}"#,
        r#"{"x":"password","y":"hello"}"#,
        r#"{"message":"what is a token?"}"#,
        r#"{"max_tokens":5,"名字":"灵犀"}"#,
        "",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn secrets_are_hidden_at_any_depth_in_any_type() {
    for (given, expected) in [
        (
            r#"{"password":"hunter2","a":1}"#,
            r#"{"password":"***","a":1}"#,
        ),
        (
            r#"{"a":{"b":[{"new_password" : "hunter2"}]}}"#,
            r#"{"a":{"b":[{"new_password" : "***"}]}}"#,
        ),
        (
            r#"{"old_password":123456,"a":1}"#,
            r#"{"old_password":"***","a":1}"#,
        ),
        (
            r#"{"token":{"x":["hunter2","}"]},"a":1}"#,
            r#"{"token":"***","a":1}"#,
        ),
        (
            r#"{"api_key":["hunter2",["b"]],"a":1}"#,
            r#"{"api_key":"***","a":1}"#,
        ),
        (
            r#"{"secret":"a\"hunter2","a":1}"#,
            r#"{"secret":"***","a":1}"#,
        ),
        (
            r#"{"p\u0061ssword":"hunter2"}"#,
            r#"{"p\u0061ssword":"***"}"#,
        ),
        (
            r#"{"Password":"hunter2","newPassword":"hunter2"}"#,
            r#"{"Password":"***","newPassword":"***"}"#,
        ),
        (
            r#"{"args":"{\"password\":\"hunter2\"}"}"#,
            r#"{"args":"***"}"#,
        ),
    ] {
        assert_eq!(shown(given), expected);
    }
}

#[test]
fn broken_bodies_never_leak() {
    for text in [
        r#"{"password":"hunter2"#,
        r#"{"password" "hunter2"}"#,
        r#"{"password"::"hunter2"}"#,
        r#"{"password:"hunter2"}"#,
        r#"{"password:"123456"}"#,
        r#"{password:"hunter2"}"#,
        r#"{'password':'hunter2'}"#,
        r#"{"a":"b, "password":"hunter2"}"#,
        r#"{"a":"b""password":"hunter2"}"#,
        r#"{"x":"password":"hunter2"}"#,
        r#"{"pass\word":"hunter2"}"#,
        r#"{"password":hunter2}"#,
        r#"{"password":{"a":hunter2}}"#,
        r#"{"password":["hunter2"}, "hunter2"]"#,
        "username=bob&password=hunter2",
    ] {
        let shown = shown(text);
        assert!(
            !shown.contains("hunter") && !shown.contains("123456"),
            "{text} -> {shown}"
        );
    }
}

#[test]
fn a_mark_before_the_text_is_skipped() {
    assert_eq!(
        shown("\u{feff}{\"password\":\"hunter2\",\"a\":1}"),
        r#"{"password":"***","a":1}"#
    );
}

#[test]
fn no_cut_and_no_missing_punctuation_leaks() {
    let text = r#"{"a":[1,{"username":"bob"}],"password":"hunter2\\","b":{"token":["hunter2","hunter2"]},"c":"d"}"#;
    for end in 0..=text.len() {
        assert!(!shown(&text[..end]).contains("hunter"), "cut at {end}");
    }
    for (at, character) in text.char_indices().filter(|(_, c)| !c.is_alphanumeric()) {
        let broken: String = [&text[..at], &text[at + character.len_utf8()..]].concat();
        assert!(
            !shown(&broken).contains("hunter"),
            "{broken} -> {}",
            shown(&broken)
        );
    }
}

#[test]
fn two_hundred_characters_and_no_control_characters() {
    let long = format!(r#"{{"a":"{}"}}"#, "灵".repeat(300));
    assert_eq!(shown(&long).chars().count(), 200);
    let cut = format!(r#"{{"message":"{}"#, "灵".repeat(300));
    assert_eq!(shown(&cut).chars().count(), 200);
    let deep = "[".repeat(100_000);
    assert_eq!(shown(&deep).chars().count(), 200);
    assert_eq!(shown("{\"a\":\n\t1}"), "{\"a\": 1}");
    assert!(!shown("{\"a\":\"x\ny\"}").contains('\n'));
    assert!(!body(b"{\"a\":\"\xff\xfe\"}").is_empty());
}

#[test]
fn query_parameters_are_hidden_by_name() {
    assert_eq!(query("token=hunter2&a=1"), "token=***&a=1");
    assert_eq!(
        query("a=1&%74oken=hunter2&api_key=x=y"),
        "a=1&%74oken=***&api_key=***"
    );
    assert_eq!(query("a=1;token=hunter2"), "a=1;token=***");
    assert_eq!(query("keyword=token"), "keyword=token");
    assert_eq!(query(""), "");
}
