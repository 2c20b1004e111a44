//! What is made from the list of endpoints.

/// Names the endpoints, a file each in the folder of its group, and the largest body of those that do not take what the
/// others do: declares the modules, and makes `endpoints`. Each file has a handler of its own name with its
/// `utoipa::path`.
macro_rules! endpoints {
    ($($(#[doc = $doc:literal])* $group:ident { $($name:ident $(($limit:expr))?),+ $(,)? })+) => {
        $($(#[doc = $doc])* mod $group { $(pub(super) mod $name;)+ })+

        /// Every REST endpoint, except those that a module of its own answers (`ws`, `ai`).
        pub(crate) fn endpoints() -> Vec<lingxi_http::Endpoint<lingxi_im::Im>> {
            vec![$($(endpoints!(@one $group $name $($limit)?),)+)+]
        }
    };
    (@one $group:ident $name:ident) => { utoipa_axum::routes!($group::$name::$name) };
    (@one $group:ident $name:ident $limit:expr) => {
        lingxi_http::body_limit(utoipa_axum::routes!($group::$name::$name), $limit)
    };
}
