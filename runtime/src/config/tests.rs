use super::check::within;
use super::*;

/// A root of a process that is nobody's.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    name: Option<String>,
    token: Option<Secret>,
    pump: Pump,
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Pump {
    strokes: u32,
    note: Option<String>,
    #[serde(default)]
    pipes: Vec<Pipe>,
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Pipe {
    width: u32,
}

/// What the component that pumps has documented.
const PUMP: &str = "[pump]\nstrokes = 3\n";

impl Root for Example {
    const PROSE: &'static [&'static str] = &["pump.note"];

    fn defaults() -> Vec<&'static str> {
        vec!["# name = \"x\"\n", PUMP]
    }

    fn sample(mut self) -> Self {
        self.pump.pipes = vec![Pipe { width: 1 }];
        self
    }

    fn check(&self) -> Result<(), Error> {
        within("pump.strokes", self.pump.strokes, 1, 9)
    }
}

fn env(pairs: &[(&str, &str)]) -> Result<Example, String> {
    let pairs = pairs
        .iter()
        .map(|(key, value)| (format!("LINGXI__{key}"), (*value).to_owned()));
    load_from(Sources {
        env: pairs.collect(),
        ..Sources::default()
    })
    .map_err(|error| error.to_string())
}

#[test]
fn sections_are_composed_and_know_their_keys() {
    let loaded = env(&[("PUMP__STROKES", "4"), ("PUMP__PIPES__0__WIDTH", "7")]).unwrap();
    assert_eq!((loaded.pump.strokes, loaded.pump.pipes[0].width), (4, 7));
    let mut keys = keys::<Example>().unwrap();
    keys.sort_unstable();
    let expected = [
        "name",
        "pump.note",
        "pump.pipes.0.width",
        "pump.strokes",
        "token",
    ];
    assert_eq!(keys, expected);
    let pump: Pump = section(PUMP, "pump").unwrap();
    assert_eq!(pump.strokes, 3);
    assert!(section::<Pump>(PUMP, "valve").is_err());
    let text = env(&[("PUMP__STOKES", "4")]).unwrap_err();
    assert!(
        text.ends_with("the nearest known key is `pump.strokes`"),
        "{text}"
    );
}

#[test]
fn what_a_check_refuses_names_its_variable() {
    assert_eq!(
        env(&[("PUMP__STROKES", "10")]).unwrap_err(),
        "pump.strokes = 10 is not accepted: expected 1 to 9 (from LINGXI__PUMP__STROKES)"
    );
}

#[test]
fn only_prose_holds_line_breaks() {
    let loaded = env(&[
        ("PUMP__NOTE", "a\nb"),
        ("TOKEN", "abc\n"),
        ("NAME", "n\r\n"),
    ])
    .unwrap();
    assert_eq!(loaded.pump.note.as_deref(), Some("a\nb"));
    assert_eq!(loaded.token.unwrap().expose(), "abc");
    assert_eq!(loaded.name.as_deref(), Some("n"));
    assert_eq!(
        env(&[("TOKEN", "a\nb")]).unwrap_err(),
        "LINGXI__TOKEN: token holds a line break; a value is one line of text"
    );
    assert!(env(&[("NAME", "a\u{85}b")]).unwrap_err().contains("U+0085"));
}
