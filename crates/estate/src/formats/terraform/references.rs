//! What the configuration in a plan says of attributes that are not known yet: which resources they
//! come from.

use std::collections::BTreeMap;

use crate::json::Json;
use crate::object::Object;

/// How many variables and outputs are followed from one attribute to the resource behind it.
const FARTHEST: usize = 16;

/// The references of a configuration's attributes.
#[derive(Default)]
pub(super) struct References {
    /// By module (`module.app`, empty for the root) and what stands in it.
    modules: BTreeMap<String, Module>,
}

#[derive(Default)]
struct Module {
    /// By resource without index, and attribute.
    resources: BTreeMap<(String, String), Vec<String>>,
    /// By the name of a called module, and variable.
    arguments: BTreeMap<(String, String), Vec<String>>,
    outputs: BTreeMap<String, Vec<String>>,
    /// The provider of each resource, by the configuration's key.
    providers: BTreeMap<String, String>,
}

impl References {
    pub(super) fn of(document: &Object<'_>) -> Self {
        let mut references = Self::default();
        let mut open: Vec<(String, Json<'_>)> = Vec::new();
        open.extend(
            document
                .get("configuration.root_module")
                .map(|root| (String::new(), root)),
        );
        while let Some((path, json)) = open.pop() {
            let mut module = Module::default();
            for resource in json
                .get("resources")
                .into_iter()
                .flat_map(|list| list.elements())
            {
                let Some(address) = text(resource, "address") else {
                    continue;
                };
                module.providers.extend(
                    text(resource, "provider_config_key").map(|key| (address.clone(), key)),
                );
                for (name, expression) in members(resource, "expressions") {
                    let found = references_in(expression);
                    module.resources.insert((address.clone(), name), found);
                }
            }
            for (name, output) in members(json, "outputs") {
                let expression = output.get("expression");
                module
                    .outputs
                    .insert(name, expression.map(references_in).unwrap_or_default());
            }
            for (name, call) in members(json, "module_calls") {
                for (variable, expression) in members(call, "expressions") {
                    let found = references_in(expression);
                    module.arguments.insert((name.clone(), variable), found);
                }
                open.extend(
                    call.get("module")
                        .map(|inner| (join(&path, &format!("module.{name}")), inner)),
                );
            }
            references.modules.insert(path, module);
        }
        references
    }

    /// The addresses without indexes of the resources that an attribute comes from. `address` is that
    /// of the resource that has the attribute, without indexes.
    pub(super) fn behind(&self, address: &str, attribute: &str) -> Vec<String> {
        let (module, resource) = split(address);
        let key = (resource.to_owned(), attribute.to_owned());
        let names = self
            .modules
            .get(module)
            .and_then(|of| of.resources.get(&key));
        let mut found = Vec::new();
        let mut open: Vec<(String, String, usize)> = names
            .into_iter()
            .flatten()
            .map(|name| (module.to_owned(), name.clone(), 0))
            .collect();
        while let Some((module, name, steps)) = open.pop() {
            if steps > FARTHEST {
                continue;
            }
            let name = without_indexes(&name);
            let mut parts = name.split('.');
            match (parts.next(), parts.next(), parts.next()) {
                (Some("var"), Some(variable), _) => {
                    let (outer, own) = split(&module);
                    let own = own.strip_prefix("module.").unwrap_or(own);
                    let key = (own.to_owned(), variable.to_owned());
                    let given = self
                        .modules
                        .get(outer)
                        .and_then(|of| of.arguments.get(&key));
                    let given = given.into_iter().flatten();
                    open.extend(given.map(|name| (outer.to_owned(), name.clone(), steps + 1)));
                }
                (Some("module"), Some(called), Some(output)) => {
                    let inner = join(&module, &format!("module.{called}"));
                    let given = self
                        .modules
                        .get(&inner)
                        .and_then(|of| of.outputs.get(output));
                    let given = given.into_iter().flatten();
                    open.extend(given.map(|name| (inner.clone(), name.clone(), steps + 1)));
                }
                (
                    Some("local" | "each" | "count" | "path" | "self" | "terraform" | "module"),
                    ..,
                ) => {}
                (Some("data"), Some(kind), Some(name)) => {
                    found.push(join(&module, &format!("data.{kind}.{name}")));
                }
                (Some(kind), Some(name), _) => found.push(join(&module, &format!("{kind}.{name}"))),
                _ => {}
            }
        }
        found.sort();
        found.dedup();
        found
    }

    /// Whether a resource sets an attribute, as far as there is a configuration.
    pub(super) fn sets(&self, address: &str, attribute: &str) -> bool {
        let (module, resource) = split(address);
        let Some(module) = self.modules.get(module) else {
            return self.modules.is_empty();
        };
        let key = (resource.to_owned(), attribute.to_owned());
        module.resources.contains_key(&key)
    }

    /// The key of the provider that a resource is made with, by its address without indexes.
    pub(super) fn provider(&self, address: &str) -> Option<&str> {
        let (module, resource) = split(address);
        let providers = &self.modules.get(module)?.providers;
        providers.get(resource).map(String::as_str)
    }
}

/// An address without the keys of `count` and `for_each`.
pub(super) fn without_indexes(address: &str) -> String {
    let mut plain = String::with_capacity(address.len());
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for character in address.chars() {
        match character {
            '"' if depth > 0 && !escaped => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => {
                depth = depth.saturating_sub(1);
                continue;
            }
            _ => {}
        }
        escaped = quoted && character == '\\' && !escaped;
        if depth == 0 {
            plain.push(character);
        }
    }
    plain
}

/// The module and the rest of an address without indexes.
fn split(address: &str) -> (&str, &str) {
    let mut end = 0;
    let mut rest = address;
    while let Some(after) = rest.strip_prefix("module.") {
        let Some(dot) = after.find('.') else {
            break;
        };
        end += "module.".len() + dot + 1;
        rest = &after[dot + 1..];
    }
    let module = address.get(..end.saturating_sub(1)).unwrap_or_default();
    (module, rest)
}

fn join(module: &str, name: &str) -> String {
    match module {
        "" => name.to_owned(),
        module => format!("{module}.{name}"),
    }
}

fn text(json: Json<'_>, name: &str) -> Option<String> {
    Some(json.get(name)?.string()?.into_owned())
}

fn members<'a>(json: Json<'a>, name: &str) -> Vec<(String, Json<'a>)> {
    let inner = json.get(name).into_iter().flat_map(|inner| inner.members());
    inner
        .map(|(name, value)| (name.into_owned(), value))
        .collect()
}

/// All references below an expression: blocks hold expressions of their own.
fn references_in(expression: Json<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![expression];
    while let Some(json) = open.pop() {
        for (name, value) in json.members() {
            match &*name {
                "references" => {
                    found.extend(value.strings().into_iter().map(|name| name.into_owned()))
                }
                "constant_value" => {}
                _ => open.push(value),
            }
        }
        open.extend(json.elements());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_keys_and_part_at_modules() {
        assert_eq!(
            without_indexes("module.a[\"x.y]\"].aws_iam_role.r[0]"),
            "module.a.aws_iam_role.r"
        );
        assert_eq!(
            split("module.a.module.b.aws_iam_role.r"),
            ("module.a.module.b", "aws_iam_role.r")
        );
        assert_eq!(split("aws_iam_role.r"), ("", "aws_iam_role.r"));
        assert_eq!(split("module.a.module.b"), ("module.a", "module.b"));
    }

    #[test]
    fn variables_and_outputs_lead_to_the_resource() {
        let text = r#"{"configuration": {"root_module": {
            "resources": [{"address": "aws_iam_user_policy_attachment.a", "expressions": {"policy_arn": {"references": ["module.p.arn", "module.p"]}}}],
            "module_calls": {"p": {"expressions": {"role": {"references": ["aws_iam_role.r.name", "aws_iam_role.r"]}},
                "module": {"outputs": {"arn": {"expression": {"references": ["aws_iam_policy.x.arn", "aws_iam_policy.x"]}}},
                    "resources": [{"address": "aws_iam_role_policy.y", "expressions": {"role": {"references": ["var.role"]}}}]}}}}}}"#;
        let json = crate::json::values(text).next().unwrap();
        let references = References::of(&Object::new(json, "$".to_owned()));
        assert_eq!(
            references.behind("aws_iam_user_policy_attachment.a", "policy_arn"),
            ["module.p.aws_iam_policy.x"]
        );
        assert_eq!(
            references.behind("module.p.aws_iam_role_policy.y", "role"),
            ["aws_iam_role.r"]
        );
        assert!(references.behind("aws_iam_role.none", "x").is_empty());
    }
}
