//! Taking sentences apart.

/// Words that begin something to do, in both languages.
const VERBS: &[&str] = &[
    "invite", "add", "list", "show", "search", "find", "look", "join", "leave", "quit", "create",
    "make", "delete", "remove", "get", "start", "open", "邀请", "拉", "添加", "加", "搜索", "查找",
    "查看", "查", "找", "列出", "显示", "退出", "离开", "创建", "新建", "建", "删除", "移除", "把",
    "将",
];
/// What may stand before such a word.
const FILLERS: &[&str] = &[
    "and",
    "then",
    "also",
    "please",
    "after that",
    "afterwards",
    "并且",
    "并",
    "然后",
    "接着",
    "再",
    "同时",
    "还要",
    "请",
    "帮我",
    "给我",
];
const JOINTS: &[&str] = &[
    " and ", " then ", "并且", "并", "然后", "接着", "再", "同时", ",", "，", ";", "；", "。",
    ". ", "\n", "、",
];

pub(super) fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// A question cut into things to do: at commas and connecting words, where a verb follows, never inside quotes.
pub(super) fn clauses(text: &str) -> Vec<String> {
    let lower = text.to_ascii_lowercase();
    let mut clauses = Vec::new();
    let (mut from, mut closing) = (0, None);
    let mut skip_to = 0;
    for (at, c) in text.char_indices() {
        if at < skip_to {
            continue;
        }
        if closing.is_some() {
            closing = closing.filter(|&close| close != c);
            continue;
        }
        if let Some(close) = closing_quote(c).filter(|&close| {
            text.get(at + c.len_utf8()..)
                .is_some_and(|rest| rest.contains(close))
        }) {
            closing = Some(close);
            continue;
        }
        let rest = lower.get(at..).unwrap_or_default();
        let Some(joint) = JOINTS.iter().find(|joint| rest.starts_with(**joint)) else {
            continue;
        };
        if begins_with_verb(rest.get(joint.len()..).unwrap_or_default()) {
            clauses.push(text.get(from..at).unwrap_or_default().trim().to_owned());
            from = at + joint.len();
            skip_to = from;
        }
    }
    clauses.push(text.get(from..).unwrap_or_default().trim().to_owned());
    clauses.retain(|clause| !clause.is_empty());
    clauses
}

fn closing_quote(open: char) -> Option<char> {
    Some(match open {
        '"' => '"',
        '“' => '”',
        '「' => '」',
        '『' => '』',
        '《' => '》',
        _ => return None,
    })
}

fn begins_with_verb(text: &str) -> bool {
    let mut text = text.trim_start();
    while let Some(filler) = FILLERS.iter().find(|filler| starts_with_word(text, filler)) {
        text = text.get(filler.len()..).unwrap_or_default().trim_start();
    }
    VERBS.iter().any(|verb| starts_with_word(text, verb))
}

/// Whether `text` begins with `word`, as a whole word if it is an English one.
fn starts_with_word(text: &str, word: &str) -> bool {
    let Some(rest) = text.strip_prefix(word) else {
        return false;
    };
    !word.is_ascii() || !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

/// Where `word` stands in `text` (lower case) as a whole word.
pub(super) fn find_word(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|&at| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|t| t.chars().next());
        let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        !word.is_ascii() || (!joins(before) && !joins(after))
    })
}

/// Whether any of `words` stands in `text`.
pub(super) fn has(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| find_word(text, word).is_some())
}

/// The part of `text` behind the first of `words` that it has, by the place of `lower`, its lower case.
pub(super) fn behind<'a>(text: &'a str, lower: &str, words: &[&str]) -> Option<&'a str> {
    words
        .iter()
        .find_map(|word| text.get(find_word(lower, word)? + word.len()..))
        .map(str::trim)
}

/// The first quoted part.
pub(super) fn quoted(text: &str) -> Option<String> {
    text.char_indices().find_map(|(at, open)| {
        let close = closing_quote(open)?;
        let inner = text.get(at + open.len_utf8()..)?;
        let inner = inner.get(..inner.find(close)?)?.trim();
        (!inner.is_empty()).then(|| inner.to_owned())
    })
}

/// A name without the marks around it.
pub(super) fn trimmed(text: &str) -> Option<String> {
    let marks = |c: char| c.is_whitespace() || "\"'“”「」『』《》,，.。!！?？;；:：、".contains(c);
    let name = text.trim_matches(marks);
    (!name.is_empty()).then(|| name.to_owned())
}

/// The number that follows `mark`.
pub(super) fn number_after(text: &str, mark: &str) -> Option<i64> {
    first_number(text.get(text.find(mark)? + mark.len()..)?)
}

/// The first whole number.
pub(super) fn first_number(text: &str) -> Option<i64> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut tokens = text.split(|c: char| !in_name(c));
    tokens.find_map(|token| token.parse::<i64>().ok().filter(|n| *n > 0))
}

/// What could be usernames in `text`, apart from `others`.
pub(super) fn names(text: &str, others: &[&str]) -> Vec<String> {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let tokens = text
        .split(|c: char| !part(c))
        .map(|token| token.trim_matches(['.', '-']));
    let names = tokens.filter(|token| {
        !token.is_empty() && !others.contains(&token.to_ascii_lowercase().as_str())
    });
    names.map(str::to_owned).collect()
}
