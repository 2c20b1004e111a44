//! Why a tool did not do what it was asked.

use lingxi_domain::ErrorCode;

/// A tool call without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It cannot be done; the model is told why and goes on.
    Told(String),
    /// The run belongs to another worker.
    Lost,
    /// What it needs is not available now. It may have been done all the same: the same call again finds out.
    Away,
    /// Whether it was done is not known: the same call again, with the same key, finds out.
    Unknown,
}

impl From<lingxi_im::Error> for Refusal {
    fn from(error: lingxi_im::Error) -> Self {
        if matches!(error, lingxi_im::Error::Fenced) {
            return Self::Lost;
        }
        let reason = match error.code() {
            ErrorCode::Unavailable => return Self::Away,
            ErrorCode::Internal => return Self::Unknown,
            ErrorCode::UserNotFound => "用户不存在",
            ErrorCode::GroupNotFound => "群聊不存在",
            ErrorCode::ContactNotFound => "对方不在联系人列表中",
            ErrorCode::NotMember => "不是该群成员",
            ErrorCode::AlreadyMember => "已经是该群成员",
            ErrorCode::GroupFull => "群聊人数已满",
            ErrorCode::Blocked => "已被对方屏蔽",
            ErrorCode::RateLimited => "操作过于频繁,请稍后再试",
            // These have sentences that say more than the code.
            ErrorCode::Forbidden => return Self::Told(format!("没有权限:{}", error.message())),
            ErrorCode::InvalidRequest => {
                return Self::Told(format!("参数不正确:{}", error.message()));
            }
            _ => return Self::Told(error.message().to_owned()),
        };
        Self::Told(reason.to_owned())
    }
}

impl Refusal {
    /// The same with what was tried before it.
    pub(crate) fn doing(self, what: &str) -> Self {
        match self {
            Self::Told(reason) => Self::Told(format!("{what}失败:{reason}")),
            other => other,
        }
    }
}
