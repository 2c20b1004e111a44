//! Which group or conversation a request is about.

use lingxi_domain::ConversationKey;
use lingxi_http::{ApiError, Positive};
use lingxi_im::Target;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Which group.
#[derive(Deserialize, IntoParams, ToSchema)]
#[into_params(parameter_in = Query)]
#[schema(as = GroupRequest)]
pub(crate) struct WhichGroup {
    #[param(value_type = i64, minimum = 1, example = 42)]
    #[schema(value_type = i64, minimum = 1, example = 42)]
    pub(crate) group_id: Positive,
}

/// Which user.
#[derive(Deserialize, ToSchema)]
#[schema(as = UsernameRequest)]
pub(crate) struct Named {
    #[schema(example = "bob")]
    pub(crate) username: String,
}

/// Which group, and whom.
#[derive(Deserialize, ToSchema)]
#[schema(as = GroupTargetRequest)]
pub(crate) struct GroupTarget {
    #[schema(value_type = i64, minimum = 1)]
    pub(crate) group_id: Positive,
    #[schema(example = "bob")]
    pub(crate) target_username: String,
}

/// The conversation that a request names, if it names one.
pub(crate) fn optional_conversation(
    username: Option<String>,
    group: Option<Positive>,
    key: Option<String>,
) -> Result<Option<Target>, ApiError> {
    if username.is_none() && group.is_none() && key.is_none() {
        return Ok(None);
    }
    conversation(username, group, key).map(Some)
}

/// The one conversation that a request names.
pub(crate) fn conversation(
    username: Option<String>,
    group: Option<Positive>,
    key: Option<String>,
) -> Result<Target, ApiError> {
    match (username, group, key) {
        (Some(name), None, None) => Ok(Target::User(name)),
        (None, Some(Positive(id)), None) => Ok(Target::Group(id)),
        (None, None, Some(key)) => key
            .parse::<ConversationKey>()
            .map(Target::Key)
            .map_err(|_| ApiError::invalid("conversation: give a key such as d:1:2 or g:42.")),
        (None, None, None) => Err(ApiError::invalid(
            "Name the conversation: give a username or a group_id.",
        )),
        _ => Err(ApiError::invalid(
            "Name one conversation only: a username or a group_id, not both.",
        )),
    }
}
