//! Putting the documentation together: every route is in it, generated from its handler.

use axum::Router;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder, Schema,
};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_swagger_ui::SwaggerUi;

/// One endpoint with its documentation: what `utoipa_axum::routes!(handler)` makes.
pub type Endpoint<S> = UtoipaMethodRouter<S>;

/// Routes with their documentation.
pub type Routes<S = ()> = OpenApiRouter<S>;

/// The routes of a list of endpoints.
pub fn routes<S: Clone + Send + Sync + 'static>(endpoints: Vec<Endpoint<S>>) -> Routes<S> {
    let none = OpenApiRouter::with_openapi(Documentation::openapi());
    endpoints.into_iter().fold(none, OpenApiRouter::routes)
}

/// Names that two different schemas of these endpoints have: in the document, one would silently replace the other.
#[must_use]
pub fn name_conflicts<S>(endpoints: &[Endpoint<S>]) -> Vec<String> {
    let mut seen: Vec<&(String, RefOr<Schema>)> = Vec::new();
    let mut conflicts = Vec::new();
    for schema in endpoints.iter().flat_map(|endpoint| &endpoint.0) {
        match seen.iter().find(|known| known.0 == schema.0) {
            Some(known) if known.1 != schema.1 => conflicts.push(schema.0.clone()),
            Some(_) => {}
            None => seen.push(schema),
        }
    }
    conflicts
}

/// The routes, the document at `/api/openapi.json` and the page at `/docs`.
pub(crate) fn with_documentation(routes: Routes) -> Router {
    let (router, mut document) = routes.split_for_parts();
    complete(&mut document);
    router.merge(SwaggerUi::new("/docs").url("/api/openapi.json", document))
}

/// Says of every operation what all have: a name of its own, and how it fails for whoever sends too much, or too large.
fn complete(document: &mut Document) {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [
            ("get", &mut item.get),
            ("post", &mut item.post),
            ("put", &mut item.put),
            ("delete", &mut item.delete),
        ] {
            let Some(operation) = operation else { continue };
            let words = path.split(['/', '{', '}']).filter(|word| !word.is_empty());
            let words: Vec<&str> = words.filter(|word| !["api", "v1"].contains(word)).collect();
            operation.operation_id = Some(format!("{method}_{}", words.join("_")));
            let mut failures = vec![("429", "rate_limited")];
            if operation.parameters.is_some() {
                failures.push(("400", "invalid_request"));
            }
            if operation.request_body.is_some() {
                failures.extend([("408", "request_timeout"), ("413", "too_large")]);
            }
            for (status, code) in failures {
                let responses = &mut operation.responses.responses;
                let response = || RefOr::T(failure(code));
                responses.entry(status.to_owned()).or_insert_with(response);
            }
        }
    }
}

fn failure(code: &str) -> Response {
    let shape = Ref::from_schema_name("Error");
    let content = ContentBuilder::new().schema(Some(shape)).build();
    ResponseBuilder::new()
        .description(code)
        .content("application/json", content)
        .build()
}

/// What the API is called, and how to come in.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lingxi",
        description = "Instant messaging with an assistant. Failures are `{\"error\",\"message\"}`; times are \
                       milliseconds since the Unix epoch; ids are integers below 2^53."
    ),
    modifiers(&BearerToken)
)]
struct Documentation;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}
