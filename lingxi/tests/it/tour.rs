//! The README's five-minute tour, run as a newcomer would paste it.
//!
//! Every ```` ```bash ```` block of the section is run, in order, in one shell; every line of a ```` ```text ```` block must
//! occur in the output, `…` standing for anything within a line. `LINGXI` is set to where the server is, and `lingxi`
//! as well as `target/release/lingxi` are the binary under test.

use std::fs::File;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::{binary, start};

const SECTION: &str = "Five-minute tour";
const LIMIT: Duration = Duration::from_secs(60);

/// A fenced block of the section.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    language: String,
    lines: Vec<String>,
}

/// The fenced blocks of the section with this heading, up to the next heading of its level or above.
fn blocks(markdown: &str, heading: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut level = None;
    let mut fence: Option<(String, Block)> = None;
    for line in markdown.lines() {
        if let Some((marks, block)) = &mut fence {
            if line.trim_end() == marks.as_str() {
                if level.is_some() {
                    blocks.push(block.clone());
                }
                fence = None;
            } else {
                block.lines.push(line.to_owned());
            }
            continue;
        }
        let marks = line.chars().take_while(|&mark| mark == '`').count();
        if marks >= 3 {
            let language = line[marks..].trim().to_owned();
            let lines = Vec::new();
            fence = Some(("`".repeat(marks), Block { language, lines }));
            continue;
        }
        let depth = line.chars().take_while(|&mark| mark == '#').count();
        if depth > 0 {
            if level.is_some_and(|level| depth <= level) {
                break;
            }
            if line[depth..].trim() == heading {
                level = Some(depth);
            }
        }
    }
    blocks
}

/// Whether `pattern`, in which `…` stands for anything, occurs in `line`.
fn occurs(pattern: &str, line: &str) -> bool {
    let mut rest = line;
    pattern.trim().split('…').all(|part| {
        let found = rest.find(part);
        rest = found.map_or("", |at| &rest[at + part.len()..]);
        found.is_some()
    })
}

/// The lines of the text blocks that are not in `output`.
fn missing<'a>(blocks: &'a [Block], output: &str) -> Vec<&'a str> {
    blocks
        .iter()
        .filter(|block| block.language == "text")
        .flat_map(|block| &block.lines)
        .map(String::as_str)
        .filter(|pattern| !pattern.trim().is_empty())
        .filter(|pattern| !output.lines().any(|line| occurs(pattern, line)))
        .collect()
}

#[tokio::test]
async fn the_tour_works_as_pasted() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("README.md");
    let blocks = blocks(&readme, SECTION);
    let bash: Vec<_> = blocks
        .iter()
        .filter(|block| block.language == "bash")
        .collect();
    assert!(
        !bash.is_empty(),
        "README.md has no bash blocks in a section {SECTION:?}"
    );
    let script: Vec<String> = bash.iter().map(|block| block.lines.join("\n")).collect();
    let script = script.join("\n");

    let lx = start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let programs = folder.path().join("target/release");
    std::fs::create_dir_all(&programs).expect("a folder");
    let server = std::fs::canonicalize(binary()).expect("the binary");
    symlink(server, programs.join("lingxi")).expect("a link");
    let said = folder.path().join("output");
    let output = File::create(&said).expect("a file");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(folder.path())
        .env("PATH", format!("{}:{path}", programs.display()))
        .env("LINGXI", lx.base_url(0))
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a second handle"))
        .stderr(output)
        .process_group(0)
        .spawn()
        .expect("bash");
    let start = Instant::now();
    let read = || String::from_utf8_lossy(&std::fs::read(&said).unwrap_or_default()).into_owned();
    // Until the shell has ended and all that the README shows was said, be it by a job in the background.
    let status = loop {
        let ended = shell.try_wait().expect("a child of ours");
        let done =
            ended.is_some_and(|status| !status.success() || missing(&blocks, &read()).is_empty());
        if done || start.elapsed() > LIMIT {
            break ended;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    // The group is the shell and its jobs, nobody else's.
    let group = format!("-{}", shell.id());
    let _ = Command::new("kill")
        .args(["-KILL", "--", &group])
        .stderr(Stdio::null())
        .status();
    let _ = shell.wait();
    let output = read();
    println!(
        "--- the tour said, in {:.1?} ---\n{output}",
        start.elapsed()
    );
    assert!(status.is_some(), "the tour took longer than {LIMIT:?}");
    assert!(
        status.is_some_and(|status| status.success()),
        "a command of the tour failed: {status:?}"
    );
    let missing = missing(&blocks, &output);
    assert!(
        missing.is_empty(),
        "the README shows lines that did not come: {missing:#?}"
    );
}

#[test]
fn blocks_of_one_section_are_found() {
    let markdown = "# T\n```bash\nno\n```\n## Five-minute tour\ntext\n```bash\n# not a heading\na\n```\n```text\nhello …\n```\n\
                    ### Sub\n````bash\n```\n````\n## Next\n```bash\nno\n```\n";
    let found = blocks(markdown, SECTION);
    let block = |language: &str, lines: &[&str]| Block {
        language: language.to_owned(),
        lines: lines.iter().map(|&line| line.to_owned()).collect(),
    };
    let expected = [
        block("bash", &["# not a heading", "a"]),
        block("text", &["hello …"]),
        block("bash", &["```"]),
    ];
    assert_eq!(found, expected);
    assert_eq!(missing(&found, "so: hello world\n"), [""; 0]);
    assert_eq!(missing(&found, "goodbye\n"), ["hello …"]);
    assert!(occurs(r#"{"id":…,"name":"x"}"#, r#"{"id":42,"name":"x"}"#));
    assert!(!occurs(r#"{"id":…,"name":"y"}"#, r#"{"id":42,"name":"x"}"#));
}
