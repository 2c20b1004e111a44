//! Usernames, and what holds for every text.

use super::*;

fn key(text: &str) -> String {
    let name = Username::new(text).unwrap_or_else(|e| panic!("{}: {e}", text.escape_unicode()));
    assert_eq!(name.key(), username_key(text));
    assert_eq!(Username::new(name.shown()).as_ref(), Ok(&name), "{text}");
    assert_eq!(Username::new(name.key()).unwrap().key(), name.key());
    name.key().to_owned()
}

#[test]
fn usernames_in_every_script() {
    for name in [
        "bob",
        "张三",
        "a",
        "a_b-c.d",
        "Ünal9",
        "हिन्दी",
        "น้ำ",
        "ຄຳ",
        "தமிழ்",
        "José",
        "Jose\u{301}",
        "한글",
        "小明",
        "a1",
        "محمد",
        "محمد_12",
        "אבג",
        "אב1",
        "می\u{200c}خواهم",
        "क्\u{200d}ष",
        "Ελλάς",
        "ქართული",
        "አማርኛ",
        "ខ្មែរ",
        "မြန်မာ",
        "བོད་".trim_end_matches('་'),
        "ᏣᎳᎩ",
        "𞤀𞤁",
        "col·lecció",
        "アリス",
        "ｱﾘｽ",
        "ナ・ニ",
        "〇一",
        "group_",
        "group_x1",
        "group42",
        "first.last-2_x",
        "al",
        "lingxifan",
        "123",
        &"x".repeat(32),
        &"한".repeat(32),
    ] {
        key(name);
    }
    assert_eq!(key(&"\u{1112}\u{1161}\u{11ab}".repeat(32)), "한".repeat(32));
}

#[test]
fn one_name_however_it_is_written() {
    for (one, other) in [
        ("José", "JOSE\u{301}"),
        ("한글", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"),
        ("ｂｏｂ", "Bob"),
        ("ｱﾘｽ", "アリス"),
        ("ｶﾞ", "ガ"),
        ("น้ำ", "น\u{e49}\u{e4d}า"),
        ("ΒΑΣΙΛΗΣ", "βασιλης"),
        ("q\u{323}\u{307}", "q\u{307}\u{323}"),
    ] {
        assert_eq!(username_key(one), username_key(other), "{one} {other}");
    }
    assert_eq!(Username::new("Jose\u{301}").unwrap().shown(), "José");
    assert_eq!(Username::new("Bob").unwrap().shown(), "Bob");
    assert_ne!(username_key("straße"), username_key("strasse"));
}

#[test]
fn usernames_that_are_refused() {
    for name in [
        "",
        " ",
        "a b",
        "a\u{7}",
        "a\nb",
        "a\u{0}b",
        "a\u{2028}b",
        "a/b",
        "a@b",
        "<x>",
        "@all",
        "\u{202e}evil",
        "a\u{200f}",
        "bob\u{3164}",
        "\u{3164}",
        "\u{115f}",
        "\u{ffa0}",
        "a\u{200b}",
        "\u{2800}",
        "a\u{2060}",
        "a\u{feff}",
        "a\u{ad}",
        "a\u{34f}",
        "bob\u{fe0f}",
        "a\u{200d}b",
        "a\u{200c}b",
        "\u{200d}",
        "\u{301}a",
        "\u{345}",
        "😀",
        "a😀",
        "①",
        "Ⅳ",
        "𝐛𝐨𝐛",
        "ﬁsh",
        "㍿",
        "ªb",
        "x²",
        "محـمد",
        "٣abc",
        "1אב",
        "bobאב",
        "אבbob",
        "a·b",
        "a\u{30fb}b",
        "٠۱م",
        "\u{1112}\u{1161}b\u{11ab}",
        "a\u{e000}",
        "a\u{378}",
        "q\u{301}\u{302}\u{303}\u{304}\u{305}",
        "\u{13441}",
        "\u{17b4}",
        "a\u{180b}",
        "group_42",
        "GROUP_42",
        "Group_7",
        "gROUP_7",
        "ｇｒｏｕｐ＿４２",
        "group_４２",
        "group_४२",
        "grоup_42",
        "gr\u{3bf}up_1",
        "Lingxi",
        "灵犀",
        "ＡＩ",
        "lіngxi",
        "LINGXI",
        "Iingxi",
        "system",
        "ＳＹＳＴＥＭ",
        "系统",
        "АI",
        "l.i.n.g.x.i",
        "admin",
        "аdmin",
        "Support",
        "管理员",
        &"x".repeat(33),
        &"x".repeat(500),
        &"ำ".repeat(17),
        &"한".repeat(33),
    ] {
        let refused = Username::new(name);
        assert!(refused.is_err(), "{}", name.escape_unicode());
        assert!(refused.unwrap_err().0.starts_with("username: "), "{name}");
    }
    assert!(Username::appointed("admin").is_ok() && Username::appointed("lingxi").is_err());
}

#[test]
fn older_keys_are_looked_for_too() {
    let keys = |text| username_keys(text).unwrap();
    assert_eq!(keys("Bob").older, None);
    assert_eq!(keys("José").older, None);
    assert_eq!(keys("ＢＯＢ").key, "bob");
    assert_eq!(keys("ＢＯＢ").older.as_deref(), Some("ｂｏｂ"));
    assert_eq!(username_keys(""), None);
    assert_eq!(username_keys(&"x".repeat(129)), None);
}

/// Prepared twice is prepared once, for every character in some company, and for mixtures of those that are apt to change
/// each other.
#[test]
fn preparing_is_idempotent() {
    let check = |text: &str| {
        let shown = || text.escape_unicode();
        if let Ok(name) = Username::new(text) {
            assert_eq!(Username::new(name.shown()), Ok(name.clone()), "{}", shown());
            assert_eq!(
                Username::new(name.key())
                    .map(|n| n.key().to_owned())
                    .as_deref(),
                Ok(name.key()),
                "{}",
                shown()
            );
            assert!(display_name("n", name.shown()).is_ok(), "{}", shown());
        }
        let key = username_key(text);
        assert_eq!(username_key(&key), key, "{}", shown());
        if let Ok(name) = display_name("n", text) {
            assert_eq!(display_name("n", &name), Ok(name), "{}", shown());
        }
        let folded = fold(text);
        assert_eq!(fold(&folded), folded, "{}", shown());
        if let Ok(keyword) = keyword(text) {
            assert_eq!(super::keyword(&keyword), Ok(keyword), "{}", shown());
        }
        if let Ok(prepared) = password("password", text) {
            assert_eq!(password("password", &prepared), Ok(prepared), "{}", shown());
        }
        for (field, prepare) in [
            ("l", line as fn(&str, &str, usize) -> _),
            ("t", super::text),
        ] {
            if let Ok(prepared) = prepare(field, text, 64) {
                assert_eq!(prepare(field, &prepared, 64), Ok(prepared), "{}", shown());
            }
        }
        let once = flat(text).into_owned();
        assert_eq!(flat(&once), once.as_str(), "{}", shown());
    };
    // Whatever any step could change; the others are like each other.
    let changes = |c: &char| {
        let alone = || std::iter::once(*c);
        characters::is_ignorable(*c)
            || characters::is_nonspacing(*c)
            || characters::is_space(*c)
            || characters::has_compatibility_form(*c)
            || !c.to_lowercase().eq(alone())
            || !c.to_uppercase().eq(alone())
    };
    for c in ('\0'..='\u{ffff}').filter(changes) {
        check(&format!("{c}"));
        check(&format!("a{c}b"));
    }
    for c in ('\u{10000}'..=char::MAX).filter(changes) {
        check(&format!("a{c}"));
    }
    let apt: Vec<char> = "aIiİıſßẞΣσςǆㅎ각\u{1100}\u{1161}\u{11a8}ﾞｶがำ้ນ\u{301}\u{307}\u{308}\u{323}\u{345}ᾳ¨¯™‼❤\u{fe0f}\u{200d}\u{200c}्कم・·l1_ \u{3000}👨🏽\u{20e3}ŉǰﷺ\u{2028}\u{202e}".chars().collect();
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..5_000 {
        let text: String = (0..6)
            .map(|_| {
                dice ^= dice << 13;
                dice ^= dice >> 7;
                dice ^= dice << 17;
                apt[usize::try_from(dice % apt.len() as u64).unwrap()]
            })
            .collect();
        check(&text);
    }
}
