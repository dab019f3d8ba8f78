//! The OpenAPI document, made of the handlers' own declarations. What every route refuses in the same way is
//! said of all of them here.

use axum::Json;
use axum::http::StatusCode;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, PathItem, Ref, RefOr, Response};

use crate::api::{decisions, estate, events, findings, incidents, records, sources, wallets};
use crate::error::{PROBLEM, Problem};

#[derive(OpenApi)]
#[openapi(
    info(title = "Portreeve", description = "What the watch has found."),
    paths(
        incidents::list, incidents::one, incidents::stix, incidents::notes, incidents::add_note, incidents::set_care,
        decisions::decisions, decisions::decide, decisions::undo,
        findings::list, findings::one,
        estate::paths, estate::blast, estate::jewels, estate::doors, estate::keys,
        estate::inventory, wallets::list,
        sources::sources, sources::coverage, sources::rules, sources::audit,
        events::events, records::take,
    ),
    components(schemas(Problem)),
    security(("token" = [])),
)]
struct Api;

/// What any route may answer: no token or a wrong one, a role that is not enough, another server's name, too
/// many requests, a watch that has not read yet what it took in before.
const ALWAYS: [StatusCode; 5] = [
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::MISDIRECTED_REQUEST,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// What one with a body may answer besides.
const OF_A_BODY: [StatusCode; 4] = [
    StatusCode::BAD_REQUEST,
    StatusCode::REQUEST_TIMEOUT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
];

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Api::openapi();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("token", SecurityScheme::Http(scheme));
    for item in document.paths.paths.values_mut() {
        operations(item).for_each(complete);
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
    ]
    .into_iter()
    .filter_map(Option::as_mut)
}

/// Says of an operation what is alike for all.
fn complete(operation: &mut Operation) {
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let takes = |place: ParameterIn| {
        let mut parameters = parameters.iter();
        parameters.any(|it: &Parameter| it.parameter_in == place)
    };
    // Handlers of two groups may have one name.
    if let (Some(id), Some([group, ..])) = (&mut operation.operation_id, operation.tags.as_deref())
    {
        *id = format!("{group}.{id}");
    }
    let mut refusals = ALWAYS.to_vec();
    if !parameters.is_empty() {
        refusals.push(StatusCode::BAD_REQUEST);
    }
    if takes(ParameterIn::Path) {
        refusals.push(StatusCode::NOT_FOUND);
    }
    if operation.request_body.is_some() {
        refusals.extend(OF_A_BODY);
    }
    let responses = &mut operation.responses.responses;
    for status in refusals {
        let reason = status.canonical_reason().unwrap_or_default();
        responses
            .entry(status.as_str().to_owned())
            .or_insert_with(|| RefOr::T(Response::new(reason)));
    }
    for (status, response) in responses.iter_mut() {
        if let RefOr::T(response) = response
            && status.starts_with('4') | status.starts_with('5')
        {
            let schema = Ref::from_schema_name("Problem");
            let content = Content::new(Some(schema));
            response.content.insert(PROBLEM.to_owned(), content);
        }
    }
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
        let mut ids = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                documented.push(format!("{} {path}", method.to_uppercase()));
                let id = item[method]["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id} is there twice");
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

    /// The document holds schemas by the names of their types: of two with one name it would tell one in
    /// place of the other.
    #[test]
    fn no_two_schemas_have_one_name() {
        let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let mut sources = String::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => sources += &std::fs::read_to_string(path).unwrap(),
                }
            }
        }
        let mut names = std::collections::BTreeSet::new();
        let mut derived = false;
        for line in sources.lines() {
            derived |= line.starts_with("#[derive(") && line.contains("ToSchema");
            let mut words = line.split(|it: char| !it.is_alphanumeric());
            if derived && words.any(|word| matches!(word, "struct" | "enum")) {
                let name = words.next().unwrap().to_owned();
                assert!(names.insert(name.clone()), "{name} is there twice");
                derived = false;
            }
        }
        let document = document();
        for name in document.components.unwrap().schemas.keys() {
            // A generic one is named with what it holds.
            let known = |it: &String| name == it || name.starts_with(&format!("{it}_"));
            assert!(names.iter().any(known), "{name}");
        }
    }
}
