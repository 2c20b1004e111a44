use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};

use super::{Fault, Reply, Rule, Script, Simulator};

async fn ask(simulator: &Simulator, messages: Value, stream: bool) -> reqwest::Result<Response> {
    let body = json!({"model": "m", "messages": messages, "stream": stream, "stream_options": {"include_usage": true}});
    let http = reqwest::Client::builder().no_proxy().build()?;
    http.post(format!("{}/chat/completions", simulator.base_url()))
        .json(&body)
        .send()
        .await
}

fn question(text: &str) -> Value {
    json!([{"role": "user", "content": text}])
}

/// The events of a stream; `None` for one that is not JSON.
fn events(body: &str) -> Vec<Option<Value>> {
    let data = body
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).ok()).collect()
}

fn joined(body: &str, field: &str) -> String {
    let events = events(body).into_iter().flatten();
    events
        .filter_map(|event| {
            event["choices"][0]["delta"][field]
                .as_str()
                .map(str::to_owned)
        })
        .collect()
}

async fn stream_of(reply: Reply) -> (Simulator, String) {
    let simulator = Simulator::start(Script::always(reply)).await.unwrap();
    let body = ask(&simulator, question("q"), true)
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    (simulator, body)
}

async fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !condition() {
        assert!(Instant::now() < deadline, "the condition did not come true");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_text_is_streamed_in_pieces_with_usage_and_an_end() {
    let reply = Reply::text("你好,世界!再见")
        .reasoning("想一想")
        .usage(11, 7);
    let (simulator, body) = stream_of(reply).await;
    assert_eq!(joined(&body, "content"), "你好,世界!再见");
    assert_eq!(joined(&body, "reasoning_content"), "想一想");
    assert!(body.ends_with("data: [DONE]\n\n"));
    assert!(body.contains(r#""finish_reason":"stop""#) && body.contains(r#""total_tokens":18"#));
    assert_eq!(simulator.requests()[0].last_user(), "q");
    until(|| simulator.open_answers() == 0).await;
    assert_eq!(simulator.abandoned_answers(), 0);
}

#[tokio::test]
async fn tool_calls_and_what_follows_them() {
    let reply = Reply::call("a", json!({"x": "长一点的参数"}))
        .and_call("b", json!({}))
        .then(Reply::text("done"));
    let simulator = Simulator::start(Script::default().rule(Rule::new("do it", reply)))
        .await
        .unwrap();
    let body = ask(&simulator, question("please do it"), true)
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let (mut ids, mut arguments) = (Vec::new(), [String::new(), String::new()]);
    for event in events(&body).into_iter().flatten() {
        let call = &event["choices"][0]["delta"]["tool_calls"][0];
        if let Some(id) = call["id"].as_str() {
            ids.push(id.to_owned());
        }
        if let Some(index) = call["index"].as_u64() {
            arguments[index as usize] += call["function"]["arguments"].as_str().unwrap();
        }
    }
    assert_eq!(arguments, [r#"{"x":"长一点的参数"}"#, "{}"]);
    assert!(body.contains(r#""finish_reason":"tool_calls""#));

    let call = |at: usize, name| json!({"id": ids[at], "type": "function", "function": {"name": name, "arguments": arguments[at]}});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "ok"});
    let turn = json!({"role": "assistant", "tool_calls": [call(0, "a"), call(1, "b")]});
    let user = json!({"role": "user", "content": "please do it"});

    let good = json!([user, turn, result(&ids[0]), result(&ids[1])]);
    let answer: Value = ask(&simulator, good, false)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "done");
    assert!(simulator.violations().is_empty());

    let wrong = json!([user, turn, result(&ids[0]), result("call_0_9_deadbeef")]);
    let response = ask(&simulator, wrong, true).await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(simulator.violations()[0].kind, "orphan_result");

    // Another provider that stands in knows the calls; a stranger does not.
    let good = json!([user, turn, result(&ids[0]), result(&ids[1])]);
    let backup = simulator.start_beside(Script::default()).await.unwrap();
    assert_eq!(
        ask(&backup, good.clone(), true).await.unwrap().status(),
        200
    );
    let stranger = Simulator::start(Script::default()).await.unwrap();
    assert_eq!(ask(&stranger, good, true).await.unwrap().status(), 400);
    assert_eq!(stranger.violations()[0].kind, "unknown_call");
}

#[tokio::test]
async fn statuses_and_the_queue() {
    let simulator = Simulator::start(Script::queue([Reply::too_many(3), Reply::status(500)]))
        .await
        .unwrap();
    let first = ask(&simulator, question("q"), true).await.unwrap();
    assert_eq!(
        (
            first.status().as_u16(),
            first.headers()["retry-after"].to_str().unwrap()
        ),
        (429, "3")
    );
    assert_eq!(
        ask(&simulator, question("q"), true).await.unwrap().status(),
        500
    );
    simulator.push_reply(Reply::text("third"));
    let third: Value = ask(&simulator, question("q"), false)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(third["choices"][0]["message"]["content"], "third");
    assert_eq!(simulator.requests().len(), 3);
}

#[tokio::test]
async fn a_truncated_stream_has_no_end_mark() {
    let (_simulator, body) =
        stream_of(Reply::text("12345678").fault(Fault::Truncate { after: 1 })).await;
    assert_eq!(joined(&body, "content"), "1234");
    assert!(!body.contains("[DONE]") && !body.contains(r#""finish_reason":"stop""#));
}

#[tokio::test]
async fn in_band_errors_and_garbage() {
    let fault = Fault::ErrorInBand {
        after: 1,
        message: "overloaded".into(),
    };
    let (_simulator, body) = stream_of(Reply::text("12345678").fault(fault)).await;
    assert_eq!(
        events(&body).last().unwrap().as_ref().unwrap()["error"]["message"],
        "overloaded"
    );
    let (_simulator, body) =
        stream_of(Reply::text("12345678").fault(Fault::Garbage { after: 1 })).await;
    assert_eq!(
        events(&body).iter().filter(|event| event.is_none()).count(),
        2,
        "the garbage and [DONE]"
    );
    assert_eq!(joined(&body, "content"), "12345678");
}

#[tokio::test]
async fn a_reset_is_a_reset() {
    let reply = Reply::text("12345678").fault(Fault::Reset { after: 1 });
    let simulator = Simulator::start(Script::always(reply)).await.unwrap();
    let mut response = ask(&simulator, question("q"), true).await.unwrap();
    let mut read = String::new();
    let error = loop {
        match response.chunk().await {
            Ok(Some(part)) => read.push_str(&String::from_utf8_lossy(&part)),
            Ok(None) => panic!("the stream ended in order"),
            Err(error) => break error,
        }
    };
    assert_eq!(joined(&read, "content"), "1234");
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    let reset = std::iter::from_fn(|| {
        let this = cause?;
        cause = this.source();
        Some(this)
    })
    .any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
    });
    assert!(reset, "{error:?}");
}

#[tokio::test]
async fn stalls_and_leaving() {
    let reply = Reply::text("12345678").fault(Fault::Stall { after: 1, ms: None });
    let simulator = Simulator::start(Script::always(reply)).await.unwrap();
    let mut response = ask(&simulator, question("q"), true).await.unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    assert_eq!(
        (simulator.open_answers(), simulator.abandoned_answers()),
        (1, 0)
    );
    drop(response);
    until(|| simulator.open_answers() == 0).await;
    assert_eq!(simulator.abandoned_answers(), 1);

    let stalled = Reply::text("x").fault(Fault::StallBeforeHeaders { ms: Some(60) });
    let simulator = Simulator::start(Script::always(stalled)).await.unwrap();
    let asked = Instant::now();
    ask(&simulator, question("q"), true).await.unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn a_dropped_simulator_cuts_its_stalled_answers() {
    let reply = Reply::text("12345678").fault(Fault::Stall { after: 1, ms: None });
    let simulator = Simulator::start(Script::always(reply)).await.unwrap();
    let response = ask(&simulator, question("q"), true).await.unwrap();
    drop(simulator);
    tokio::time::timeout(Duration::from_secs(5), response.text())
        .await
        .expect("it was cut")
        .ok();
}

#[tokio::test]
async fn the_rate_holds() {
    let reply = Reply::text("12345678901234567890").paced(1, 200.0);
    let asked = Instant::now();
    let (_simulator, _body) = stream_of(reply).await;
    let took = asked.elapsed();
    assert!(
        (Duration::from_millis(95)..Duration::from_millis(400)).contains(&took),
        "{took:?}"
    );
}

#[test]
fn a_script_file_reads() {
    let script: Script = serde_json::from_str(include_str!("../../scripts/example.json")).unwrap();
    assert!(script.rules.len() >= 5);
    assert!(serde_json::from_str::<Script>(r#"{"rulse":[]}"#).is_err());
}
