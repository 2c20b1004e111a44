//! What a public host runs for each change: ./test, and nothing that ./test does not know.

use serde_json::Value;

use crate::compose::text;
use crate::{read, root};

#[test]
fn the_host_runs_what_developers_run() {
    let file: Value =
        serde_saphyr::from_str(&read(".github/workflows/ci.yml")).expect("YAML that parses");
    let jobs = file["jobs"].as_object().expect("jobs");
    assert_eq!(jobs.len(), 1);
    let job = &file["jobs"]["test"];
    let steps = job["steps"].as_array().expect("steps");
    let commands: Vec<_> = steps.iter().map(|step| text(&step["run"])).collect();
    let commands: Vec<_> = commands.iter().filter(|run| !run.is_empty()).collect();
    assert_eq!(commands.last().expect("a command"), &"./test");
    for command in &commands {
        let plain = *command == "./test" || command.starts_with("rustup component add ");
        assert!(plain, "{command} belongs into ./test");
    }
    assert!(root().join("test").is_file());
    // The same Rust on the same Debian as the image is built with.
    let image = text(&job["container"]["image"]);
    let from = format!("FROM {image} AS build\n");
    assert!(read("deploy/docker/Dockerfile").contains(&from), "{image}");
}
