//! What a Chinese clause asks for.

use super::intent::{GroupRef, Intent};
use super::words::{first_number, names, quoted, trimmed};

const CREATE: &[&str] = &[
    "创建",
    "新建",
    "建立",
    "建一个",
    "建个",
    "拉个",
    "拉一个",
    "开个",
    "开一个",
];
const GROUP: &[&str] = &["群聊", "群组", "群"];
const CONTACT: &[&str] = &["联系人", "通讯录", "好友", "朋友"];
const LIST: &[&str] = &[
    "我的", "哪些", "列出", "查看", "显示", "看看", "多少", "所有", "列表", "获取", "都有",
];
const SEARCH: &[&str] = &["搜索", "查找", "搜一下", "搜", "查一下", "找一下", "找"];
/// Words around a username that are none. Longer ones stand before their parts.
const AROUND: &[&str] = &[
    "加入群聊",
    "加入群组",
    "加入群",
    "添加",
    "加入",
    "加为",
    "加到",
    "删除",
    "移除",
    "去掉",
    "邀请",
    "拉进",
    "拉入",
    "拉到",
    "拉",
    "群聊",
    "群组",
    "这个群",
    "该群",
    "群里",
    "群内",
    "群",
    "联系人",
    "通讯录",
    "好友列表",
    "好友",
    "朋友",
    "列表",
    "用户名",
    "用户",
    "名叫",
    "名为",
    "叫做",
    "叫",
    "搜索",
    "查找",
    "搜一下",
    "查一下",
    "找一下",
    "一下",
    "一个",
    "的人",
    "请",
    "帮我",
    "给我",
    "帮忙",
    "我的",
    "我",
    "把",
    "将",
    "从",
    "中",
    "里",
    "进",
    "入",
    "到",
    "为",
    "成",
    "去",
    "加",
    "搜",
    "查",
    "找",
    "掉",
    "吧",
    "的",
];

/// What one clause asks for; a list of people makes one intent each.
pub(super) fn intents(clause: &str) -> Vec<Intent> {
    let has = |words: &[&str]| words.iter().any(|word| clause.contains(word));
    let (group, contact) = (has(GROUP), has(CONTACT));
    if has(CREATE) && (group || clause.contains("小组")) {
        return group_name(clause)
            .map(Intent::CreateGroup)
            .into_iter()
            .collect();
    }
    if contact && has(&["删除", "移除", "删掉", "去掉"]) {
        return people(clause).map(Intent::DeleteContact).collect();
    }
    if contact && has(&["添加", "加"]) {
        return people(clause).map(Intent::AddContact).collect();
    }
    if has(&["邀请", "拉"]) {
        return invitations(clause);
    }
    if has(&["退出", "离开", "退群"]) {
        return first_number(clause)
            .map(Intent::LeaveGroup)
            .into_iter()
            .collect();
    }
    if has(LIST) && group && !has(SEARCH) {
        return vec![Intent::MyGroups];
    }
    if has(LIST) && contact && !has(SEARCH) {
        return vec![Intent::Contacts];
    }
    if has(&["加入", "进群", "入群"]) {
        return first_number(clause)
            .map(Intent::JoinGroup)
            .into_iter()
            .collect();
    }
    if has(SEARCH) {
        let intent = if group {
            Intent::SearchGroup
        } else {
            Intent::SearchUser
        };
        let keyword = quoted(clause).or_else(|| people(clause).next());
        return keyword.map(intent).into_iter().collect();
    }
    Vec::new()
}

fn group_name(clause: &str) -> Option<String> {
    if let Some(name) = quoted(clause) {
        return Some(name);
    }
    let marks = [
        "名字叫做",
        "名字叫",
        "名字是",
        "名称是",
        "叫做",
        "名为",
        "名叫",
        "叫",
    ];
    if let Some(rest) = marks
        .iter()
        .find_map(|mark| clause.split_once(mark))
        .map(|(_, rest)| rest)
    {
        let end = ["的群", "群聊", "群组"]
            .iter()
            .filter_map(|end| rest.find(end))
            .min();
        let end = end
            .or_else(|| rest.strip_suffix('群').map(str::len))
            .unwrap_or(rest.len());
        return rest.get(..end).and_then(trimmed);
    }
    let (_, rest) = CREATE.iter().find_map(|verb| clause.split_once(verb))?;
    let rest = rest.trim_start_matches("一个").trim_start_matches('个');
    // "Rust群", else "群聊Rust".
    let before = rest
        .find("群聊")
        .or_else(|| rest.find("群组"))
        .or_else(|| rest.find('群'));
    let (name, after) = rest.split_at(before.unwrap_or(rest.len()));
    let after = GROUP
        .iter()
        .fold(after, |text, word| text.trim_start_matches(word));
    trimmed(name.trim_end_matches('的')).or_else(|| trimmed(after))
}

fn invitations(clause: &str) -> Vec<Intent> {
    // "邀请bob和carol加入群42", "把bob拉进42群"
    let id = first_number(&spaced(clause));
    let group = id.map_or(GroupRef::Created, GroupRef::Id);
    let who = people(clause).filter(|name| id.is_none_or(|id| *name != id.to_string()));
    who.map(|username| Intent::Invite { group, username })
        .collect()
}

fn people(clause: &str) -> impl Iterator<Item = String> {
    names(&spaced(clause), &["id", "and"]).into_iter()
}

/// The clause with everything that is no name made into spaces.
fn spaced(clause: &str) -> String {
    let text = AROUND
        .iter()
        .fold(clause.to_owned(), |text, word| text.replace(word, " "));
    ["和", "与", "及", "跟"]
        .iter()
        .fold(text, |text, word| text.replace(word, " "))
}
