//! What stands for something in a text, as the document declares it: made of the lists themselves.

use portreeve_model::Severity;
use portreeve_store::{DecisionKind, State};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::incidents::Standing;
use super::paging::CURSOR;

fn text(of: impl FnOnce(ObjectBuilder) -> ObjectBuilder) -> RefOr<Schema> {
    let object = of(ObjectBuilder::new().schema_type(Type::String));
    RefOr::T(Schema::Object(object.build()))
}

macro_rules! words {
    ($($(#[$what:meta])* $name:ident => $words:expr),+ $(,)?) => {$(
        $(#[$what])*
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                text(|text| text.enum_values(Some($words)))
            }
        }

        impl ToSchema for $name {}
    )+};
}

words! {
    /// How grave.
    SeverityWord => Severity::ALL.map(Severity::as_str),
    /// How an incident stands.
    StateWord => State::ALL.map(State::as_str),
    /// What can be decided of an incident.
    DecisionWord => [DecisionKind::Join, DecisionKind::Part].map(DecisionKind::as_str),
    /// Which incidents are asked for, by how they stand.
    StandingWord => State::ALL.map(State::as_str).into_iter().chain([Standing::OPEN, Standing::ALL]),
}

/// How far a list was read.
pub(crate) struct CursorText;

impl PartialSchema for CursorText {
    fn schema() -> RefOr<Schema> {
        text(|text| text.pattern(Some(CURSOR)))
    }
}

impl ToSchema for CursorText {}
