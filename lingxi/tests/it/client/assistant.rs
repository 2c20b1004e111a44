//! The assistant's answer, as it comes.

use lingxi_bench::simulator::{Reply, Script, Simulator};

use crate::harness::{Mode, until};

use super::Client;

behaviours!(an_answer_goes_on_where_it_broke_off);

/// What of the answer was shown so far.
fn answer(client: &Client) -> String {
    let said = client.objects().into_iter().map(|mut o| o["body"].take());
    let chunks = said.filter(|body| body["type"] == "chunk");
    let content = |body: serde_json::Value| body["content"].as_str().expect("a text").to_owned();
    chunks.map(content).collect()
}

async fn an_answer_goes_on_where_it_broke_off(mode: Mode) {
    // More often than it is taken up again without anything new.
    const BREAKS: usize = 7;
    let text: String = (0..100).map(|number| format!("{number:03} ")).collect();
    let script = Script::always(Reply::text(&text).paced(4, 20.0));
    let simulator = Simulator::start(script).await.expect("a simulator");
    let options = mode
        .with("LINGXI__AI__PROVIDERS__0__NAME", "simulator")
        .with("LINGXI__AI__PROVIDERS__0__BASE_URL", simulator.base_url())
        .with("LINGXI__AI__PROVIDERS__0__MODEL", "a model");
    let lx = options.proxied().start().await;
    let mut alice = lx.user("alice").await;
    alice.rest.base = format!("http://{}", lx.edges[0].address());
    let mut a = Client::of(&alice, &["--json"]);
    a.types("/ai count, please");
    a.ends_input();
    for _ in 0..BREAKS {
        let before = answer(&a).len();
        until("something new", async || answer(&a).len() > before).await;
        until("a connection to cut", async || lx.edges[0].cut() > 0).await;
    }
    a.succeeds().await;
    assert_eq!(answer(&a), text);
}
