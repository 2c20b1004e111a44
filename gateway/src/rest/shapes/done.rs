//! That it was done.

use serde::Serialize;
use utoipa::ToSchema;

/// That it was done.
#[derive(Serialize, ToSchema)]
#[schema(as = Done)]
pub(crate) struct Done {
    /// What was done, for people.
    message: &'static str,
}

impl Done {
    pub(crate) fn json(message: &'static str) -> axum::Json<Self> {
        axum::Json(Self { message })
    }
}
