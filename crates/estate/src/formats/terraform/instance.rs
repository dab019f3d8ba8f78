//! The instances of resources that a state or plan holds, in one shape for all of their forms.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_model::{Entity, EntityKind, PolicyLayer};

use crate::json::Json;
use crate::object::Object;
use crate::reader::Reader;

/// Which side of a plan is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// As Terraform knew it before.
    Before,
    /// As the plan would leave it. A state has this side only.
    After,
}

/// How deep modules are followed.
const DEEPEST: usize = 32;

/// One instance of a resource.
pub(super) struct Instance<'a> {
    /// Where it stands: `module.app.aws_iam_role.deploy["eu"]`.
    pub(super) address: String,
    /// Its type: `aws_iam_role`.
    pub(super) kind: String,
    /// Whether Terraform manages it, or only looks it up.
    pub(super) managed: bool,
    /// Its provider's name, where the form tells.
    pub(super) provider: String,
    /// Its attributes.
    pub(super) values: Object<'a>,
    /// Attributes of which some part is known only after the apply.
    unknown: BTreeSet<String>,
}

/// The text of a policy.
pub(super) enum Text {
    Given(Arc<str>),
    /// It is known only after the apply.
    Unknown,
    None,
}

impl<'a> Instance<'a> {
    /// A text attribute that is known and not empty.
    pub(super) fn text(&self, name: &str, reader: &mut Reader<'_>) -> Option<Cow<'a, str>> {
        self.values
            .text(name, reader)
            .filter(|text| !text.is_empty())
    }

    /// The texts of a list.
    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let value = self.values.get(name);
        let texts = value.map(|value| value.strings()).unwrap_or_default();
        texts.into_iter().map(Cow::into_owned).collect()
    }

    /// The blocks of a name: Terraform writes a block as a list of objects.
    pub(super) fn blocks(&self, name: &str, reader: &mut Reader<'_>) -> Vec<Object<'a>> {
        let mut blocks = Vec::new();
        if self.values.get(name).is_some_and(|value| value.is_object()) {
            blocks.extend(self.values.object(name, reader));
            return blocks;
        }
        let mut list = self.values.list(name, reader);
        while let Some(block) = list.next(reader) {
            blocks.push(block);
        }
        blocks
    }

    /// The same where they are written as a list; none for any other value.
    pub(super) fn blocks_if_listed(&self, name: &str, reader: &mut Reader<'_>) -> Vec<Object<'a>> {
        match self.values.get(name).is_some_and(|value| value.is_array()) {
            true => self.blocks(name, reader),
            false => Vec::new(),
        }
    }

    pub(super) fn is_unknown(&self, name: &str) -> bool {
        self.unknown.contains(name)
    }

    /// A policy's text.
    pub(super) fn policy(&self, name: &str, reader: &mut Reader<'_>) -> Text {
        if self.is_unknown(name) {
            return Text::Unknown;
        }
        match self.values.document(name, reader) {
            Some(text) => Text::Given(text),
            None => Text::None,
        }
    }

    /// An entity with its tags and some attributes, each by Terraform's name and by the provider's.
    pub(super) fn entity(
        &self,
        id: &str,
        kind: EntityKind,
        kept: &[(&str, &str)],
        account: Option<&str>,
        reader: &mut Reader<'_>,
    ) -> Entity {
        let mut entity = Entity::new(id, kind);
        if entity.account.is_none() && kind != EntityKind::External {
            entity.account = account.map(str::to_owned);
        }
        for name in ["tags", "tags_all"] {
            let tags = self.values.get(name).filter(|tags| tags.is_object());
            let tags = tags.into_iter().flat_map(|tags| tags.members());
            entity.tags.extend(
                tags.filter_map(|(key, value)| {
                    Some((key.into_owned(), value.scalar()?.into_owned()))
                }),
            );
        }
        for (name, attribute) in kept {
            if let Some(text) = self.text(name, reader) {
                entity
                    .attributes
                    .insert((*attribute).to_owned(), text.into_owned());
            }
        }
        entity
    }

    /// Says that a policy of the resource itself holds, and that it was seen.
    pub(super) fn own_policy(
        &self,
        name: &str,
        id: &str,
        kind: EntityKind,
        reader: &mut Reader<'_>,
    ) {
        let text = match self.policy(name, reader) {
            Text::Given(text) => text,
            Text::Unknown => Arc::from(""),
            Text::None => return,
        };
        let mut entity = Entity::new(id, kind);
        entity.inferred = true;
        entity
            .attributes
            .insert("Policy".to_owned(), "given".to_owned());
        reader.add(entity);
        reader.policy(id, PolicyLayer::Resource, "resource policy", text);
    }
}

/// Whether a document is a plan.
pub(crate) fn is_plan(document: &Object<'_>) -> bool {
    document.has("format_version") && document.has("resource_changes")
}

/// All instances of one side, in the order of their addresses.
pub(super) fn all<'a>(
    document: &Object<'a>,
    side: Side,
    reader: &mut Reader<'_>,
) -> Vec<Instance<'a>> {
    let mut found: BTreeMap<String, Instance<'a>> = BTreeMap::new();
    if document.has("lineage") {
        state_file(document, &mut found, reader);
    }
    let state = match is_plan(document) {
        // Lookups are in the state before; what is managed is among the changes.
        true => "prior_state.values.root_module",
        false => "values.root_module",
    };
    if let Some(root) = document.get(state) {
        let path = format!("{}.{state}", document.path);
        module(&Object::new(root, path), 0, &mut found, reader);
    }
    let mut changes = document.list("resource_changes", reader);
    while let Some(one) = changes.next(reader) {
        change(&one, side, &mut found, reader);
    }
    found.into_values().collect()
}

/// `terraform.tfstate`.
fn state_file<'a>(
    document: &Object<'a>,
    found: &mut BTreeMap<String, Instance<'a>>,
    reader: &mut Reader<'_>,
) {
    let mut resources = document.list("resources", reader);
    while let Some(resource) = resources.next(reader) {
        let kind = resource.required(&["type"], reader);
        let name = resource.required(&["name"], reader);
        let (Some(kind), Some(name)) = (kind, name) else {
            continue;
        };
        let managed = resource
            .text("mode", reader)
            .is_none_or(|mode| mode == "managed");
        let module = resource.text("module", reader);
        let module = module.map_or_else(String::new, |module| format!("{module}."));
        let data = if managed { "" } else { "data." };
        let provider = resource
            .text("provider", reader)
            .unwrap_or_default()
            .into_owned();
        let mut instances = resource.list("instances", reader);
        while let Some(instance) = instances.next(reader) {
            // What is left of a replaced object and still waits to be deleted.
            let deposed = instance.text("deposed", reader).unwrap_or_default();
            let index = instance
                .get("index_key")
                .map_or_else(String::new, |key| format!("[{}]", key.text));
            let Some(values) = instance.object("attributes", reader) else {
                continue;
            };
            let address = format!("{module}{data}{kind}.{name}{index}");
            let place = format!("{address}{deposed}");
            let known = Instance {
                address,
                kind: kind.to_string(),
                managed,
                provider: provider.clone(),
                values,
                unknown: BTreeSet::new(),
            };
            found.insert(place, known);
        }
    }
}

/// A module of `terraform show -json`, with those in it.
fn module<'a>(
    module: &Object<'a>,
    depth: usize,
    found: &mut BTreeMap<String, Instance<'a>>,
    reader: &mut Reader<'_>,
) {
    let mut resources = module.list("resources", reader);
    while let Some(resource) = resources.next(reader) {
        let Some((address, kind)) = name(&resource, reader) else {
            continue;
        };
        let Some(values) = resource.object("values", reader) else {
            continue;
        };
        let known = Instance {
            managed: resource
                .text("mode", reader)
                .is_none_or(|mode| mode == "managed"),
            provider: String::new(),
            unknown: BTreeSet::new(),
            address: address.clone(),
            kind,
            values,
        };
        found.insert(address, known);
    }
    let mut modules = module.list("child_modules", reader);
    while let Some(child) = modules.next(reader) {
        if depth >= DEEPEST {
            let reason = format!("is nested in more than {DEEPEST} modules");
            reader.letter(child.json.offset, &child.path, reason);
            return;
        }
        self::module(&child, depth + 1, found, reader);
    }
}

fn name(resource: &Object<'_>, reader: &mut Reader<'_>) -> Option<(String, String)> {
    let address = resource.required(&["address"], reader)?.into_owned();
    let kind = resource.required(&["type"], reader)?.into_owned();
    Some((address, kind))
}

/// One of `resource_changes`.
fn change<'a>(
    resource: &Object<'a>,
    side: Side,
    found: &mut BTreeMap<String, Instance<'a>>,
    reader: &mut Reader<'_>,
) {
    let Some((address, kind)) = name(resource, reader) else {
        return;
    };
    let Some(change) = resource.object("change", reader) else {
        return;
    };
    let former = resource.text("previous_address", reader);
    if let (Some(former), Side::After) = (former, side) {
        found.remove(&*former);
    }
    // A replaced object that is left over has the address of the one that replaced it.
    let deposed = resource.text("deposed", reader).unwrap_or_default();
    let place = format!("{address}{deposed}");
    let actions = change
        .get("actions")
        .map(|list| list.strings())
        .unwrap_or_default();
    // What Terraform only forgets stays as it is.
    let side = match actions.iter().any(|action| action == "forget") {
        true => Side::Before,
        false => side,
    };
    let values = change.object(
        if side == Side::After {
            "after"
        } else {
            "before"
        },
        reader,
    );
    let Some(values) = values else {
        found.remove(&place);
        return;
    };
    let unknown = match (change.get("after_unknown"), side) {
        (Some(unknown), Side::After) => unknown
            .members()
            .filter(|(_, value)| holds_true(*value))
            .map(|(name, _)| name.into_owned())
            .collect(),
        _ => BTreeSet::new(),
    };
    let known = Instance {
        managed: resource
            .text("mode", reader)
            .is_none_or(|mode| mode == "managed"),
        provider: String::new(),
        address,
        kind,
        values,
        unknown,
    };
    found.insert(place, known);
}

/// Whether any part of a value of `after_unknown` is unknown: there known parts are `false`, or left
/// out.
fn holds_true(value: Json<'_>) -> bool {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        if value.text == "true" {
            return true;
        }
        open.extend(value.elements());
        open.extend(value.members().map(|(_, value)| value));
    }
    false
}
