//! The rules of the demo model.

use lingxi_domain::run::ToolCall;
use serde_json::{Value, json};

use super::intent::{GroupRef, Intent};
use super::plan::plan;
use super::*;
use crate::providers::ToolSpec;

fn invite(group: GroupRef, username: &str) -> Intent {
    Intent::Invite {
        group,
        username: username.into(),
    }
}

#[test]
fn english_requests_are_understood() {
    let created = |name: &str| Intent::CreateGroup(name.into());
    let new = GroupRef::Created;
    let cases: Vec<(&str, Vec<Intent>)> = vec![
        (
            "create a group called X and invite bob",
            vec![created("X"), invite(new, "bob")],
        ),
        (
            "Create a group called \"Salt and Pepper\", then invite bob and carol.",
            vec![
                created("Salt and Pepper"),
                invite(new, "bob"),
                invite(new, "carol"),
            ],
        ),
        (
            "please create a group named Go study and invite bob_1",
            vec![created("Go study"), invite(new, "bob_1")],
        ),
        ("Can you make a new group Chess?", vec![created("Chess")]),
        ("make a Rust group", vec![created("Rust")]),
        (
            "create a group called Fun and games",
            vec![created("Fun and games")],
        ),
        ("list my groups", vec![Intent::MyGroups]),
        ("What groups am I in?", vec![Intent::MyGroups]),
        ("search user bob", vec![Intent::SearchUser("bob".into())]),
        (
            "find the user named Bob.Smith",
            vec![Intent::SearchUser("Bob.Smith".into())],
        ),
        (
            "search group rust",
            vec![Intent::SearchGroup("rust".into())],
        ),
        (
            "find groups about chess",
            vec![Intent::SearchGroup("about chess".into())],
        ),
        (
            "add bob to my contacts",
            vec![Intent::AddContact("bob".into())],
        ),
        (
            "add bob as a friend",
            vec![Intent::AddContact("bob".into())],
        ),
        (
            "remove bob from my contacts",
            vec![Intent::DeleteContact("bob".into())],
        ),
        ("show my contacts", vec![Intent::Contacts]),
        ("join group 42", vec![Intent::JoinGroup(42)]),
        ("leave group 42", vec![Intent::LeaveGroup(42)]),
        (
            "invite bob to group 7",
            vec![invite(GroupRef::Id(7), "bob")],
        ),
        (
            "add bob and carol to group 7",
            vec![
                invite(GroupRef::Id(7), "bob"),
                invite(GroupRef::Id(7), "carol"),
            ],
        ),
        (
            "list my groups and show my contacts",
            vec![Intent::MyGroups, Intent::Contacts],
        ),
        ("hello, who are you?", vec![]),
        ("what is the capital of France?", vec![]),
        ("", vec![]),
    ];
    for (question, wanted) in cases {
        assert_eq!(plan(question), wanted, "{question}");
    }
}

#[test]
fn chinese_requests_are_understood() {
    let created = |name: &str| Intent::CreateGroup(name.into());
    let new = GroupRef::Created;
    let cases: Vec<(&str, Vec<Intent>)> = vec![
        (
            "创建一个叫X的群，邀请bob",
            vec![created("X"), invite(new, "bob")],
        ),
        (
            "帮我创建一个名为Go学习小组的群聊，并邀请bob和carol",
            vec![
                created("Go学习小组"),
                invite(new, "bob"),
                invite(new, "carol"),
            ],
        ),
        (
            "建一个Rust群然后拉bob进群",
            vec![created("Rust"), invite(new, "bob")],
        ),
        ("创建群聊「周末 爬山」", vec![created("周末 爬山")]),
        ("创建一个群聊，名字叫篮球", vec![created("篮球")]),
        ("列出我的群", vec![Intent::MyGroups]),
        ("我有哪些群？", vec![Intent::MyGroups]),
        ("查看我加入的群聊", vec![Intent::MyGroups]),
        ("搜索用户bob", vec![Intent::SearchUser("bob".into())]),
        ("搜索群rust", vec![Intent::SearchGroup("rust".into())]),
        ("把bob加为好友", vec![Intent::AddContact("bob".into())]),
        ("添加好友小明", vec![Intent::AddContact("小明".into())]),
        (
            "添加bob到我的联系人",
            vec![Intent::AddContact("bob".into())],
        ),
        ("删除好友bob", vec![Intent::DeleteContact("bob".into())]),
        ("列出我的联系人", vec![Intent::Contacts]),
        ("加入群42", vec![Intent::JoinGroup(42)]),
        ("退出群 42", vec![Intent::LeaveGroup(42)]),
        ("邀请bob加入群7", vec![invite(GroupRef::Id(7), "bob")]),
        ("你好", vec![]),
        ("今天心情不错", vec![]),
    ];
    for (question, wanted) in cases {
        assert_eq!(plan(question), wanted, "{question}");
    }
}

fn tools() -> Vec<ToolSpec> {
    ["create_group", "invite_member", "get_my_groups"]
        .into_iter()
        .map(|name| ToolSpec {
            name,
            description: "",
            parameters: json!({}),
        })
        .collect()
}

fn called(request: &ModelRequest) -> (String, Value) {
    let (mut name, mut args) = (String::new(), String::new());
    for delta in turn(request) {
        if let Delta::ToolCall(part) = delta {
            name += &part.name.unwrap_or_default();
            args += &part.args;
        }
    }
    (name, serde_json::from_str(&args).unwrap())
}

fn said(request: &ModelRequest) -> String {
    let deltas = turn(request);
    assert!(deltas.contains(&Delta::Finish("stop".into())), "{deltas:?}");
    deltas
        .into_iter()
        .filter_map(|d| {
            if let Delta::Text(text) = d {
                Some(text)
            } else {
                None
            }
        })
        .collect()
}

fn after(request: &mut ModelRequest, name: &str, success: bool, result: &str) {
    let call = ToolCall {
        id: "c".into(),
        name: name.into(),
        args: "{}".into(),
    };
    request.messages.push(ChatMessage::Assistant {
        text: String::new(),
        tool_calls: vec![call],
    });
    let content = json!({"tool": name, "success": success, "result": result}).to_string();
    request.messages.push(ChatMessage::Tool {
        call_id: "c".into(),
        content,
    });
}

#[test]
fn calls_are_chained_and_the_answer_tells_what_happened() {
    let question = ChatMessage::User("创建一个叫X的群，邀请bob".into());
    let mut request = ModelRequest {
        messages: vec![question],
        tools: tools(),
    };
    assert_eq!(
        called(&request),
        ("create_group".into(), json!({"name": "X"}))
    );
    after(&mut request, "create_group", true, "群聊创建成功,ID=42");
    assert_eq!(
        called(&request),
        (
            "invite_member".into(),
            json!({"group_id": 42, "username": "bob"})
        )
    );
    after(&mut request, "invite_member", true, "已邀请bob加入群聊");
    let answer = said(&request);
    assert!(
        answer.contains("「X」") && answer.contains("42") && answer.contains("bob"),
        "{answer}"
    );
    assert!(
        answer.contains("演示模型") && answer.contains("LINGXI__AI__PROVIDERS__0__BASE_URL"),
        "{answer}"
    );
}

#[test]
fn what_failed_is_said_and_what_builds_on_it_is_left_out() {
    let question = ChatMessage::User("create a group called X and invite bob".into());
    let mut request = ModelRequest {
        messages: vec![question],
        tools: tools(),
    };
    after(&mut request, "create_group", false, "创建失败");
    let answer = said(&request);
    assert!(
        answer.contains("I could not create the group \"X\"") && answer.contains("left out"),
        "{answer}"
    );
    assert!(answer.contains("demo model"), "{answer}");
}

#[test]
fn without_tools_it_only_talks_and_says_what_it_is() {
    for (question, word) in [
        ("list my groups", "/api/v1/ai/agent"),
        ("hi", "demo model"),
        ("你好", "演示模型"),
    ] {
        let messages = vec![ChatMessage::User(question.into())];
        let answer = said(&ModelRequest {
            messages,
            tools: vec![],
        });
        assert!(answer.contains(word), "{answer}");
    }
    // An earlier question does not count.
    let messages = vec![
        ChatMessage::User("list my groups".into()),
        ChatMessage::User("hello".into()),
    ];
    assert!(
        said(&ModelRequest {
            messages,
            tools: tools()
        })
        .contains("Hello")
    );
}
