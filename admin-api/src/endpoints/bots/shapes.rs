//! Shapes that several endpoints about bots share.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which bot.
#[derive(Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
#[schema(as = AdminBotName)]
pub(crate) struct WhichBot {
    #[schema(example = "weather")]
    #[param(example = "weather")]
    pub(super) username: String,
}

/// What was done.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminBotDone)]
pub(crate) struct Done {
    pub(super) message: &'static str,
}
