//! What the demo model says in the end.

use super::intent::{GroupRef, Intent};
use super::plan::{Done, Progress};
use super::words;

const ABOUT_EN: &str = "I am Lingxi's built-in demo model: a set of rules, not a language model. To get real answers, set \
LINGXI__AI__PROVIDERS__0__NAME, LINGXI__AI__PROVIDERS__0__BASE_URL, LINGXI__AI__PROVIDERS__0__API_KEY and \
LINGXI__AI__PROVIDERS__0__MODEL to any OpenAI-compatible service and start Lingxi again, or run Ollama on this machine.";
const ABOUT_ZH: &str = "我是灵犀内置的演示模型(demo):只会按规则办事,不是语言模型。想得到真正的回答,请把 \
LINGXI__AI__PROVIDERS__0__NAME、LINGXI__AI__PROVIDERS__0__BASE_URL、LINGXI__AI__PROVIDERS__0__API_KEY 和 \
LINGXI__AI__PROVIDERS__0__MODEL 设为任意一个兼容 OpenAI 接口的服务后重新启动灵犀,或者在本机运行 Ollama。";
const HELP_EN: &str = "Hello! As an agent I understand plain requests such as: create a group called Rust and invite bob; \
list my groups; search group rust; join group 42; leave group 42; search user bob; add bob to my contacts; \
delete bob from my contacts; list my contacts.";
const HELP_ZH: &str = "你好!在智能体模式下我能听懂这样的简单请求:创建一个叫Rust的群,邀请bob;列出我的群;搜索群rust;加入群42;退出群42;\
搜索用户bob;添加好友bob;删除好友bob;列出我的联系人。";

/// The answer: what was done, in the language of the question, and what is speaking.
pub(super) fn answer(question: &str, progress: &Progress, no_tools: bool) -> String {
    let chinese = words::is_chinese(question);
    let mut parts: Vec<String> = progress
        .done
        .iter()
        .map(|done| line(done, chinese))
        .collect();
    if !progress.skipped.is_empty() {
        parts.push(skipped(progress, no_tools, chinese).to_owned());
    }
    if parts.is_empty() {
        parts.push(if chinese { HELP_ZH } else { HELP_EN }.to_owned());
    }
    parts.push(if chinese { ABOUT_ZH } else { ABOUT_EN }.to_owned());
    parts.join("\n")
}

fn skipped(progress: &Progress, no_tools: bool, chinese: bool) -> &'static str {
    match (no_tools && progress.done.is_empty(), chinese) {
        (true, true) => "普通聊天里我没有工具可用;要我办事,请用智能体模式(POST /api/v1/ai/agent)。",
        (true, false) => {
            "In plain chat I have no tools; to have things done, ask me as an agent (POST /api/v1/ai/agent)."
        }
        (false, true) => "其余的没有做:前面的步骤没有成功,或者没有说明是哪个群。",
        (false, false) => "I left out the rest: a step before it failed, or no group was named.",
    }
}

fn line(done: &Done, chinese: bool) -> String {
    match (done.success, chinese) {
        (true, true) => success_zh(done),
        (true, false) => success_en(done),
        (false, true) => format!("没有成功:{}", done.result),
        (false, false) => format!("I could not {}: {}", doing(&done.intent), done.result),
    }
}

fn success_zh(done: &Done) -> String {
    match &done.intent {
        Intent::CreateGroup(name) => {
            let id = words::number_after(&done.result, "ID=")
                .map(|id| format!("(ID={id})"))
                .unwrap_or_default();
            format!("好的,我已经帮你创建了「{name}」{id}。")
        }
        Intent::Invite { username, .. } => format!("已邀请 {username} 进群。"),
        _ => done.result.clone(),
    }
}

fn success_en(done: &Done) -> String {
    match &done.intent {
        Intent::CreateGroup(name) => {
            let id = words::number_after(&done.result, "ID=")
                .map(|id| format!(" (ID {id})"))
                .unwrap_or_default();
            format!("I created the group \"{name}\"{id}.")
        }
        Intent::Invite { username, .. } => format!("I invited {username}."),
        Intent::JoinGroup(id) => format!("You are now a member of group {id}."),
        Intent::LeaveGroup(id) => format!("You have left group {id}."),
        Intent::AddContact(username) => format!("{username} is now among your contacts."),
        Intent::DeleteContact(username) => format!("{username} is no longer among your contacts."),
        Intent::MyGroups => format!("Your groups:\n{}", done.result),
        Intent::Contacts => format!("Your contacts:\n{}", done.result),
        Intent::SearchUser(keyword) => format!("Users that match \"{keyword}\":\n{}", done.result),
        Intent::SearchGroup(keyword) => {
            format!("Groups that match \"{keyword}\":\n{}", done.result)
        }
    }
}

fn doing(intent: &Intent) -> String {
    match intent {
        Intent::CreateGroup(name) => format!("create the group \"{name}\""),
        Intent::Invite {
            username,
            group: GroupRef::Id(id),
        } => format!("invite {username} to group {id}"),
        Intent::Invite {
            username,
            group: GroupRef::Created,
        } => format!("invite {username}"),
        Intent::JoinGroup(id) => format!("join group {id}"),
        Intent::LeaveGroup(id) => format!("leave group {id}"),
        Intent::MyGroups => "list your groups".to_owned(),
        Intent::SearchGroup(keyword) | Intent::SearchUser(keyword) => {
            format!("search for \"{keyword}\"")
        }
        Intent::Contacts => "list your contacts".to_owned(),
        Intent::AddContact(username) => format!("add {username} to your contacts"),
        Intent::DeleteContact(username) => format!("delete {username} from your contacts"),
    }
}
