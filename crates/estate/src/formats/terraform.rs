//! Terraform: state (version 4, and `terraform show -json`) and plans in JSON, as an estate.
//!
//! Follows "JSON Output Format", <https://developer.hashicorp.com/terraform/internals/json-format>, and
//! the state file of Terraform 0.12 and later. Of a plan the estate is the one that it would leave;
//! [`crate::plan`] reads both sides.

#[path = "terraform/compute.rs"]
mod compute;
#[path = "terraform/context.rs"]
mod context;
#[path = "terraform/iam.rs"]
mod iam;
#[path = "terraform/instance.rs"]
mod instance;
#[path = "terraform/organization.rs"]
mod organization;
#[path = "terraform/references.rs"]
mod references;
#[path = "terraform/storage.rs"]
mod storage;

use portreeve_model::BlindSpot;

use crate::format::{FormatFile, Wanted};
use crate::object::Object;
use crate::reader::Reader;
use context::Context;
use instance::Instance;
pub(crate) use instance::{Side, is_plan};

pub(super) const FORMAT: FormatFile = FormatFile {
    id: "aws.terraform",
    title: "Terraform state or plan",
    command: "terraform show -json > state.json; terraform show -json PLAN > plan.json",
    without: "what Terraform manages, and what it is about to change",
    wanted: Wanted::Optional,
    recognise: |document| {
        let shown = document.has("format_version") && document.has("terraform_version");
        shown || (document.has("terraform_version") && document.has("lineage"))
    },
    read: |document, reader| read(document, Side::After, reader),
    ..FormatFile::DEFAULT
};

/// What one kind of resource says: the reader of its instances.
type Translate = fn(&Instance<'_>, &Context, &mut Reader<'_>);

/// Reads one side of a document: of a state there is but one.
pub(crate) fn read(document: &Object<'_>, side: Side, reader: &mut Reader<'_>) {
    let instances = instance::all(document, side, reader);
    let context = Context::of(&instances, document, reader);
    let mut unknown = Vec::new();
    for instance in &instances {
        let tables = [
            iam::READERS,
            storage::READERS,
            compute::READERS,
            organization::READERS,
        ];
        let mut all = tables.into_iter().flatten();
        if let Some((_, translate)) = all.find(|(kind, _)| *kind == instance.kind) {
            translate(instance, &context, reader);
            let is_unknown =
                |name: &&str| instance.is_unknown(name) && context.is_configured(instance, name);
            if POLICY_TEXTS.iter().any(is_unknown) {
                unknown.push(instance.address.clone());
            }
        }
    }
    compute::invocations(&instances, &context, reader);
    context.say_what_is_missing(reader);
    if !unknown.is_empty() {
        reader.blind_spot(BlindSpot {
            missing: format!(
                "texts that are known only after apply: {}",
                unknown.join(", ")
            ),
            consequence: "what these policies will allow or forbid is not known: what hangs on \
                          them is told as depending"
                .to_owned(),
            remedy: "write the policy so that it does not hang on what the plan creates, or \
                     compare again after the apply"
                .to_owned(),
        });
    }
}

/// Attributes that hold the text of a policy.
const POLICY_TEXTS: &[&str] = &[
    "policy",
    "assume_role_policy",
    "inline_policy",
    "content",
    "repository_policy",
];
