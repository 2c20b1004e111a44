use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use lingxi_bench::simulator::Script;
use lingxi_im::Actor;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::tests::world::World;

/// Counts its calls, and never knows what came of them.
struct Vague {
    name: &'static str,
    class: Class,
    calls: AtomicU32,
}

impl Vague {
    const fn new(name: &'static str, class: Class) -> Self {
        let calls = AtomicU32::new(0);
        Self { name, class, calls }
    }
}

#[async_trait]
impl Tool for Vague {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name,
            description: "",
            parameters: json!({"type": "object"}),
        }
    }

    fn class(&self) -> Class {
        self.class
    }

    async fn execute(&self, _: &Context<'_>, args: Value) -> Result<String, Refusal> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if args["hang"] == true {
            std::future::pending::<()>().await;
        }
        if args["away"] == true {
            return Err(Refusal::Away);
        }
        Err(Refusal::Unknown)
    }
}

async fn call(tools: &Toolbox, name: &str, args: &str) -> Given {
    let world = World::with(Script::default()).await;
    let asker = Actor::new(world.alice, "alice");
    let context = Context {
        im: &world.deps.im,
        asker: &asker,
        deadline: Instant::now() + Duration::from_secs(4),
    };
    tools.call(name, args, &context).await
}

#[tokio::test]
async fn what_reads_or_has_a_key_is_tried_again_and_nothing_else_is() {
    static READS: Vague = Vague::new("reads", Class::Reads);
    static OWN: Vague = Vague::new("own", Class::OwnEffect);
    static FOREIGN: Vague = Vague::new("foreign", Class::ForeignEffect);
    static TOOLS: [&dyn Tool; 3] = [&READS, &OWN, &FOREIGN];
    let tools = Toolbox { tools: &TOOLS };
    assert_eq!(call(&tools, "reads", "").await, Given::Unknown);
    assert_eq!(call(&tools, "own", "").await, Given::Unknown);
    assert_eq!(call(&tools, "own", r#"{"away": true}"#).await, Given::Away);
    let told = call(&tools, "foreign", "").await;
    let Given::Outcome(ToolOutcome { success: false, .. }) = told else {
        panic!("{told:?}")
    };
    let calls = [&READS, &OWN, &FOREIGN].map(|tool| tool.calls.load(Ordering::Relaxed));
    assert_eq!(calls, [ATTEMPTS, 2 * ATTEMPTS, 1]);
}

#[tokio::test]
async fn a_tool_that_hangs_is_ended_by_the_deadline() {
    static HANGS: Vague = Vague::new("hangs", Class::Reads);
    static TOOLS: [&dyn Tool; 1] = [&HANGS];
    let tools = Toolbox { tools: &TOOLS };
    let begun = Instant::now();
    assert_eq!(call(&tools, "hangs", r#"{"hang":true}"#).await, Given::Late);
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn the_ten_tools_are_told_first_and_all_have_schemas_of_objects() {
    let specs = Toolbox::new().specs();
    let names: Vec<_> = specs.iter().map(|spec| spec.name).collect();
    let wanted = [
        "search_user",
        "get_my_groups",
        "search_group",
        "create_group",
        "join_group",
        "leave_group",
        "invite_member",
        "get_contacts",
        "add_contact",
        "delete_contact",
    ];
    assert_eq!(names[..wanted.len()], wanted);
    let different: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "two of one name: {names:?}");
    for spec in specs {
        assert_eq!(spec.parameters["type"], "object", "{}", spec.name);
        let required = spec.parameters["required"].as_array().unwrap();
        for name in required {
            let property = &spec.parameters["properties"][name.as_str().unwrap()];
            assert!(property["description"].is_string(), "{}: {name}", spec.name);
        }
    }
}

#[test]
fn tools_that_only_look_say_so() {
    let reads = |name: &str| name.starts_with("get_") || name.starts_with("search_");
    for tool in ALL {
        let name = tool.spec().name;
        let wanted = if reads(name) {
            Class::Reads
        } else {
            Class::OwnEffect
        };
        assert_eq!(tool.class(), wanted, "{name}");
    }
}
