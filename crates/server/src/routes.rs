//! All routes, with the role that each needs. What is not in the table is not served.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, delete, get, post, put};
use portreeve_store::Role;

use crate::app::App;
use crate::{api, guard, metrics, openapi, pages, slow};

/// What people send is a few words.
const BODY: usize = 64 << 10;

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The role that it needs; `None` where everyone may.
    pub role: Option<Role>,
}

const fn route(method: &'static str, path: &'static str, role: Role) -> Route {
    Route {
        method,
        path,
        role: Some(role),
    }
}

const fn public(method: &'static str, path: &'static str) -> Route {
    Route {
        method,
        path,
        role: None,
    }
}

/// All of them.
pub const ROUTES: &[Route] = &[
    route("GET", "/", Role::Viewer),
    route("GET", "/incidents/{id}", Role::Viewer),
    route("GET", "/incidents/{id}/report.html", Role::Viewer),
    route("GET", "/incidents/{id}/findings", Role::Viewer),
    route("GET", "/incidents/{id}/findings/{finding}", Role::Viewer),
    route("GET", "/incidents/{id}/records", Role::Viewer),
    route("GET", "/incidents/{id}/paths", Role::Viewer),
    route("GET", "/incidents/{id}/plan", Role::Viewer),
    route("GET", "/incidents/{id}/plan.txt", Role::Viewer),
    route("POST", "/incidents/{id}/care", Role::Responder),
    route("POST", "/incidents/{id}/notes", Role::Responder),
    route("GET", "/incidents/{id}/decisions", Role::Viewer),
    route("POST", "/incidents/{id}/decisions", Role::Responder),
    route(
        "POST",
        "/incidents/{id}/decisions/{number}/undo",
        Role::Responder,
    ),
    route("GET", "/estate", Role::Viewer),
    route("GET", "/keys", Role::Viewer),
    route("GET", "/doors", Role::Viewer),
    route("GET", "/wallets", Role::Viewer),
    route("GET", "/posture", Role::Viewer),
    route("GET", "/coverage", Role::Viewer),
    route("GET", "/records", Role::Viewer),
    route("GET", "/hunt", Role::Responder),
    public("GET", "/login"),
    public("POST", "/login"),
    public("GET", "/assets/{name}"),
    route("GET", "/api/v1/incidents", Role::Viewer),
    route("GET", "/api/v1/incidents/{id}", Role::Viewer),
    route("GET", "/api/v1/incidents/{id}/stix", Role::Viewer),
    route("GET", "/api/v1/incidents/{id}/notes", Role::Viewer),
    route("POST", "/api/v1/incidents/{id}/notes", Role::Responder),
    route("PUT", "/api/v1/incidents/{id}/care", Role::Responder),
    route("GET", "/api/v1/incidents/{id}/decisions", Role::Viewer),
    route("POST", "/api/v1/incidents/{id}/decisions", Role::Responder),
    route(
        "DELETE",
        "/api/v1/incidents/{id}/decisions/{number}",
        Role::Responder,
    ),
    route("GET", "/api/v1/findings", Role::Viewer),
    route("GET", "/api/v1/findings/{id}", Role::Viewer),
    route("GET", "/api/v1/paths", Role::Viewer),
    route("GET", "/api/v1/blast", Role::Viewer),
    route("GET", "/api/v1/jewels", Role::Viewer),
    route("GET", "/api/v1/doors", Role::Viewer),
    route("GET", "/api/v1/keys", Role::Viewer),
    route("GET", "/api/v1/wallets", Role::Viewer),
    route("GET", "/api/v1/inventory", Role::Viewer),
    route("GET", "/api/v1/sources", Role::Viewer),
    route("GET", "/api/v1/coverage", Role::Viewer),
    route("GET", "/api/v1/rules", Role::Viewer),
    route("GET", "/api/v1/events", Role::Viewer),
    route("GET", "/api/v1/audit", Role::Admin),
    route("POST", "/api/v1/records", Role::Ingest),
    public("GET", "/openapi.json"),
    route("GET", "/metrics", Role::Viewer),
    public("GET", "/healthz"),
    public("GET", "/readyz"),
];

/// The role that a route needs; one that is in no table needs the highest.
pub(crate) fn role_of(method: &Method, path: &str) -> Option<Role> {
    // HEAD is answered as GET without its body.
    let method = match *method {
        Method::HEAD => "GET",
        _ => method.as_str(),
    };
    let found = ROUTES
        .iter()
        .find(|route| route.method == method && route.path == path);
    found.map_or(Some(Role::Admin), |route| route.role)
}

fn handler(route: &Route) -> Option<MethodRouter<Arc<App>>> {
    Some(match (route.method, route.path) {
        ("GET", "/") => get(pages::today),
        ("GET", "/incidents/{id}") => get(pages::incident),
        ("GET", "/incidents/{id}/report.html") => get(pages::incident_report),
        ("GET", "/incidents/{id}/findings") => get(pages::findings),
        ("GET", "/incidents/{id}/findings/{finding}") => get(pages::finding),
        ("GET", "/incidents/{id}/records") => get(pages::records),
        ("GET", "/incidents/{id}/paths") => get(pages::paths),
        ("GET", "/incidents/{id}/plan") => get(pages::plan),
        ("GET", "/incidents/{id}/plan.txt") => get(pages::plan_text),
        ("POST", "/incidents/{id}/care") => post(pages::care),
        ("POST", "/incidents/{id}/notes") => post(pages::note),
        ("GET", "/incidents/{id}/decisions") => get(pages::decisions),
        ("POST", "/incidents/{id}/decisions") => post(pages::decide),
        ("POST", "/incidents/{id}/decisions/{number}/undo") => post(pages::undo),
        ("GET", "/estate") => get(pages::estate),
        ("GET", "/keys") => get(pages::keys),
        ("GET", "/doors") => get(pages::doors),
        ("GET", "/wallets") => get(pages::wallets),
        ("GET", "/posture") => get(pages::posture),
        ("GET", "/coverage") => get(pages::coverage),
        ("GET", "/records") => get(pages::record),
        ("GET", "/hunt") => get(pages::hunt),
        ("GET", "/login") => get(pages::login),
        ("POST", "/login") => post(pages::log_in),
        ("GET", "/assets/{name}") => get(pages::asset),
        ("GET", "/api/v1/incidents") => get(api::incidents::list),
        ("GET", "/api/v1/incidents/{id}") => get(api::incidents::one),
        ("GET", "/api/v1/incidents/{id}/stix") => get(api::incidents::stix),
        ("GET", "/api/v1/incidents/{id}/notes") => get(api::incidents::notes),
        ("POST", "/api/v1/incidents/{id}/notes") => post(api::incidents::add_note),
        ("PUT", "/api/v1/incidents/{id}/care") => put(api::incidents::set_care),
        ("GET", "/api/v1/incidents/{id}/decisions") => get(api::decisions::decisions),
        ("POST", "/api/v1/incidents/{id}/decisions") => post(api::decisions::decide),
        ("DELETE", "/api/v1/incidents/{id}/decisions/{number}") => delete(api::decisions::undo),
        ("GET", "/api/v1/findings") => get(api::findings::list),
        ("GET", "/api/v1/findings/{id}") => get(api::findings::one),
        ("GET", "/api/v1/paths") => get(api::estate::paths),
        ("GET", "/api/v1/blast") => get(api::estate::blast),
        ("GET", "/api/v1/jewels") => get(api::estate::jewels),
        ("GET", "/api/v1/doors") => get(api::estate::doors),
        ("GET", "/api/v1/keys") => get(api::estate::keys),
        ("GET", "/api/v1/wallets") => get(api::wallets::list),
        ("GET", "/api/v1/inventory") => get(api::estate::inventory),
        ("GET", "/api/v1/sources") => get(api::sources::sources),
        ("GET", "/api/v1/coverage") => get(api::sources::coverage),
        ("GET", "/api/v1/rules") => get(api::sources::rules),
        ("GET", "/api/v1/events") => get(api::events::events),
        ("GET", "/api/v1/audit") => get(api::sources::audit),
        ("POST", "/api/v1/records") => {
            post(api::records::take).layer(DefaultBodyLimit::max(api::records::BODY))
        }
        ("GET", "/openapi.json") => get(openapi::serve),
        ("GET", "/metrics") => get(metrics::metrics),
        ("GET", "/healthz") => get(metrics::health),
        ("GET", "/readyz") => get(metrics::ready),
        _ => return None,
    })
}

/// The routes, guarded.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        if let Some(handler) = handler(route) {
            router = router.route(route.path, handler);
        }
    }
    router
        .route_layer(from_fn_with_state(app.clone(), guard::admit_callers))
        .fallback(pages::missing)
        .method_not_allowed_fallback(pages::wrong_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(from_fn(slow::in_time))
        .layer(from_fn(guard::with_headers))
        .with_state(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_of_the_table_has_its_handler_and_stands_there_once() {
        for (place, route) in ROUTES.iter().enumerate() {
            assert!(handler(route).is_some(), "{route:?}");
            let twice = ROUTES[..place]
                .iter()
                .any(|other| (other.method, other.path) == (route.method, route.path));
            assert!(!twice, "{route:?}");
        }
        assert_eq!(role_of(&Method::DELETE, "/"), Some(Role::Admin));
        assert_eq!(role_of(&Method::HEAD, "/healthz"), None);
    }
}
