//! Every way through a run, without a runtime.

use lingxi_domain::run::RunState;
use lingxi_store::StepKind;
use serde_json::json;

use super::*;
use crate::ledger::ModelBody;
use crate::providers::ChatMessage;

fn run(kind: RunKind) -> Run {
    Run {
        id: "r".into(),
        user_id: 1,
        kind,
        lane: "interactive".into(),
        conversation: None,
        input: "question".into(),
        state: RunState::Running,
        attempt: 1,
        failures: 0,
        generation: 1,
        deadline_at: 0,
        stop_requested_at: None,
        error: None,
        answer: None,
        usage: Usage::default(),
        created_at: 0,
        finished_at: None,
    }
}

fn tools() -> Vec<ToolSpec> {
    vec![ToolSpec {
        name: "t",
        description: "a tool",
        parameters: json!({"type": "object"}),
    }]
}

fn rules(max_steps: u32) -> Rules<'static> {
    Rules {
        system_prompt: None,
        max_steps,
    }
}

fn usage(prompt_tokens: i64) -> Usage {
    Usage {
        prompt_tokens,
        completion_tokens: 1,
    }
}

fn call(id: &str) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: "t".into(),
        args: "{}".into(),
    }
}

fn turn(text: &str, calls: &[&str]) -> Turn {
    Turn {
        turn: ModelTurn {
            text: text.into(),
            tool_calls: calls.iter().map(|id| call(id)).collect(),
        },
        usage: usage(10),
        finish_reason: "stop".into(),
    }
}

fn outcome(result: &str) -> ToolOutcome {
    ToolOutcome {
        result: result.into(),
        success: true,
    }
}

fn answered(todo: Todo) -> (String, Usage) {
    match todo {
        Todo::Close {
            closing: Closing::Answered { text, .. },
            usage,
        } => (text, usage),
        other => panic!("{other:?}"),
    }
}

fn asked(todo: Todo) -> ModelRequest {
    match todo {
        Todo::Ask(request) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_chat_asks_once_without_tools_and_answers() {
    let (run, tools) = (run(RunKind::Chat), tools());
    let mut machine = Machine::resume(&run, &[], rules(8), &tools).unwrap();
    let request = asked(machine.next());
    assert!(request.tools.is_empty());
    assert_eq!(request.messages[1], ChatMessage::User("question".into()));
    assert_eq!(
        asked(machine.next()),
        request,
        "the same until something comes"
    );
    machine.take(Came::Turn(turn("hello", &[])));
    assert_eq!(answered(machine.next()), ("hello".into(), usage(10)));
}

#[test]
fn each_call_is_made_and_committed_in_order_before_the_model_is_asked_again() {
    let (run, tools) = (run(RunKind::Agent), tools());
    let mut machine = Machine::resume(&run, &[], rules(8), &tools).unwrap();
    assert_eq!(asked(machine.next()).tools.len(), 1);
    machine.take(Came::Turn(turn("let me see", &["a", "b"])));
    assert!(matches!(machine.next(), Todo::CommitTurn { .. }));
    machine.take(Came::Committed(Some(7)));
    for (ordinal, id) in [(0, "a"), (1, "b")] {
        let pending = Pending {
            step: 7,
            ordinal,
            call: call(id),
        };
        assert_eq!(machine.next(), Todo::Call(pending));
        machine.take(Came::Outcome(outcome(id)));
        let commit = Todo::CommitOutcome {
            call: call(id),
            outcome: outcome(id),
        };
        assert_eq!(machine.next(), commit);
        machine.take(Came::Committed(None));
    }
    let told = asked(machine.next()).messages;
    let results = told.iter().filter_map(|message| match message {
        ChatMessage::Tool { call_id, .. } => Some(call_id.as_str()),
        _ => None,
    });
    assert_eq!(results.collect::<Vec<_>>(), ["a", "b"]);
    machine.take(Came::Turn(turn("done", &[])));
    let all = Usage {
        prompt_tokens: 20,
        completion_tokens: 2,
    };
    assert_eq!(answered(machine.next()), ("done".into(), all));
}

#[test]
fn the_last_call_can_only_answer() {
    let (run, tools) = (run(RunKind::Agent), tools());
    let mut machine = Machine::resume(&run, &[], rules(2), &tools).unwrap();
    machine.take(Came::Turn(turn("", &["a"])));
    machine.take(Came::Committed(Some(1)));
    machine.take(Came::Outcome(outcome("x")));
    machine.take(Came::Committed(None));
    assert!(asked(machine.next()).tools.is_empty());
    // It calls all the same: what it said is the answer.
    machine.take(Came::Turn(turn("enough", &["b"])));
    assert_eq!(answered(machine.next()).0, "enough");
}

#[test]
fn a_takeover_goes_on_behind_the_last_committed_step() {
    let run = run(RunKind::Agent);
    let body = |turn: Turn| ModelBody {
        turn: turn.turn,
        usage: turn.usage,
    };
    let step = |step, kind, body: String| RunStep {
        step,
        kind,
        generation: 1,
        position: 1,
        body,
        events: vec![],
    };
    let done = ToolBody {
        call_id: "a".into(),
        outcome: outcome("x"),
    };
    let steps = [
        step(0, StepKind::Start, "{}".into()),
        step(
            1,
            StepKind::Model,
            serde_json::to_string(&body(turn("", &["a", "b"]))).unwrap(),
        ),
        step(2, StepKind::Tool, serde_json::to_string(&done).unwrap()),
    ];
    let tools = tools();
    let mut machine = Machine::resume(&run, &steps, rules(8), &tools).unwrap();
    let pending = Pending {
        step: 1,
        ordinal: 1,
        call: call("b"),
    };
    assert_eq!(machine.next(), Todo::Call(pending));
    machine.take(Came::Outcome(outcome("y")));
    machine.take(Came::Committed(None));
    machine.take(Came::Turn(turn("done", &[])));
    assert_eq!(answered(machine.next()).1.prompt_tokens, 20);
}

#[test]
fn an_ending_ends_it_wherever_it_stands() {
    let (run, tools) = (run(RunKind::Agent), tools());
    let at_once: Vec<Came> = vec![];
    let asked = || vec![Came::Turn(turn("", &["a"]))];
    let mut committed = asked();
    committed.push(Came::Committed(Some(1)));
    let mut told = asked();
    told.push(Came::Committed(Some(1)));
    told.push(Came::Outcome(outcome("x")));
    for before in [at_once, asked(), committed, told] {
        let mut machine = Machine::resume(&run, &[], rules(8), &tools).unwrap();
        before.into_iter().for_each(|came| machine.take(came));
        machine.take(Came::Ended(ErrorCode::Timeout.into()));
        let Todo::Close {
            closing: Closing::Failed { code, .. },
            ..
        } = machine.next()
        else {
            panic!("{:?}", machine.next())
        };
        assert_eq!(code, ErrorCode::Timeout);
    }
}

#[test]
fn counts_of_a_provider_that_lies_end_no_run() {
    let (run, tools) = (run(RunKind::Agent), tools());
    let mut machine = Machine::resume(&run, &[], rules(8), &tools).unwrap();
    let mut lie = turn("", &["a"]);
    lie.usage = usage(i64::MAX);
    machine.take(Came::Turn(lie.clone()));
    machine.take(Came::Committed(Some(1)));
    machine.take(Came::Outcome(outcome("x")));
    machine.take(Came::Committed(None));
    lie.turn.tool_calls.clear();
    machine.take(Came::Turn(lie));
    assert_eq!(answered(machine.next()).1.prompt_tokens, i64::MAX);
}
