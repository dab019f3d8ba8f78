//! The OpenAPI document, made of the handlers' own declarations.

use axum::Json;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::api::{estate, events, findings, incidents, records, sources};

#[derive(OpenApi)]
#[openapi(
    info(title = "Portreeve", description = "What the watch has found."),
    paths(
        incidents::list, incidents::one, incidents::notes, incidents::add_note, incidents::set_care,
        findings::list, findings::one,
        estate::paths, estate::blast, estate::jewels, estate::doors, estate::keys,
        estate::inventory,
        sources::sources, sources::coverage, sources::rules, sources::audit,
        events::events, records::take,
    ),
    security(("token" = [])),
)]
struct Api;

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Api::openapi();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("token", SecurityScheme::Http(scheme));
    document
}

pub(crate) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::ROUTES;

    #[test]
    fn every_route_of_the_api_is_in_the_document_and_no_other() {
        let document = serde_json::to_value(document()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut documented: Vec<String> = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                documented.push(format!("{} {path}", method.to_uppercase()));
            }
        }
        let mut served: Vec<String> = ROUTES
            .iter()
            .filter(|route| route.path.starts_with("/api/"))
            .map(|route| format!("{} {}", route.method, route.path))
            .collect();
        documented.sort();
        served.sort();
        assert_eq!(documented, served);
    }
}
