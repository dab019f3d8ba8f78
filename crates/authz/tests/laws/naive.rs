//! A second evaluator, written for plainness: it walks the JSON, knows every key, and compares
//! wildcards by recursion. It serves only to be compared with.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::{Caller, World};

/// The values of the request's keys; a key that is not there is absent.
pub(crate) type Keys = BTreeMap<String, Vec<String>>;

/// Whether the request is allowed.
pub(crate) fn allowed(world: &World, action: &str, resource: &str, keys: &Keys) -> bool {
    let caller = &world.caller;
    let owner = world.owner.as_str();
    let same_account = caller.account() == owner;
    let ask = |policy: &Value, effect: &str| says(policy, effect, caller, action, resource, keys);
    let any = |policies: &[Value], effect: &str| policies.iter().any(|policy| ask(policy, effect));

    let mut everything: Vec<Value> = world.identity.clone();
    everything.extend(world.boundary.clone());
    everything.extend(world.session.clone());
    everything.extend(world.scps.iter().flatten().cloned());
    everything.extend(world.resource.clone());
    if any(&everything, "Deny") {
        return false;
    }
    if world.scps.iter().any(|level| !any(level, "Allow")) {
        return false;
    }
    let bounded = world
        .boundary
        .as_ref()
        .is_none_or(|policy| ask(policy, "Allow"))
        && world
            .session
            .as_ref()
            .is_none_or(|policy| ask(policy, "Allow"));
    let own_side = any(&world.identity, "Allow") && bounded;
    let grants = |names: &[&str]| {
        world.resource.as_ref().is_some_and(|policy| {
            statements(policy).iter().any(|statement| {
                statement["Effect"] == "Allow"
                    && principals(statement)
                        .iter()
                        .any(|name| names.contains(&name.as_str()))
                    && applies(statement, action, resource, keys, caller)
            })
        })
    };
    let to_itself = grants(&["*", caller.arn()]);
    let to_role = caller.role().is_some_and(|role| grants(&[role]));
    let to_account = grants(&[&caller.root()]);
    let must_be_trusted = action.starts_with("sts:") || action.starts_with("kms:");
    if !same_account {
        return own_side && (to_itself || to_role || to_account);
    }
    let own_side = if must_be_trusted {
        own_side && to_account
    } else {
        own_side
    };
    own_side || to_itself || (to_role && bounded)
}

fn says(
    policy: &Value,
    effect: &str,
    caller: &Caller,
    action: &str,
    resource: &str,
    keys: &Keys,
) -> bool {
    statements(policy).iter().any(|statement| {
        let names = principals(statement);
        let named = names.is_empty()
            || names.iter().any(|name| {
                name == "*"
                    || name == caller.arn()
                    || Some(name.as_str()) == caller.role()
                    || *name == caller.root()
            });
        statement["Effect"] == effect && named && applies(statement, action, resource, keys, caller)
    })
}

fn statements(policy: &Value) -> Vec<Value> {
    policy["Statement"].as_array().unwrap().clone()
}

fn principals(statement: &Value) -> Vec<String> {
    match &statement["Principal"] {
        Value::Null => vec![],
        Value::String(name) => vec![name.clone()],
        other => texts(&other["AWS"]),
    }
}

fn applies(statement: &Value, action: &str, resource: &str, keys: &Keys, caller: &Caller) -> bool {
    let action = action.to_lowercase();
    let action_in = |field: &str| {
        texts(&statement[field])
            .iter()
            .any(|text| like(&text.to_lowercase(), &action))
    };
    let resource_in = |field: &str| {
        texts(&statement[field])
            .iter()
            .any(|text| fill(text, caller).is_some_and(|text| arn_like(&text, resource)))
    };
    let actions = if statement.get("NotAction").is_some() {
        !action_in("NotAction")
    } else {
        action_in("Action")
    };
    let resources = if statement.get("NotResource").is_some() {
        !resource_in("NotResource")
    } else {
        resource_in("Resource")
    };
    actions && resources && conditions(&statement["Condition"], keys, caller)
}

fn conditions(condition: &Value, keys: &Keys, caller: &Caller) -> bool {
    let Some(operators) = condition.as_object() else {
        return true;
    };
    operators.iter().all(|(operator, tests)| {
        tests.as_object().unwrap().iter().all(|(key, wanted)| {
            test(
                operator,
                keys.get(&key.to_lowercase()),
                &texts(wanted),
                caller,
            )
        })
    })
}

fn test(operator: &str, values: Option<&Vec<String>>, wanted: &[String], caller: &Caller) -> bool {
    let values = values.filter(|values| !values.is_empty());
    if operator == "Null" {
        return wanted
            .iter()
            .any(|text| (text == "true") == values.is_none());
    }
    let (set, rest) = operator.split_once(':').unwrap_or(("", operator));
    let if_exists = rest.ends_with("IfExists");
    let base = rest.trim_end_matches("IfExists");
    let negated = base.contains("Not");
    let Some(values) = values else {
        return match set {
            "ForAllValues" => true,
            "ForAnyValue" => if_exists,
            _ => if_exists || negated,
        };
    };
    let one = |value: &String| {
        let found = wanted
            .iter()
            .any(|text| match base.replace("Not", "").as_str() {
                "StringEquals" => fill(text, caller).is_some_and(|text| text == *value),
                "StringLike" => fill(text, caller).is_some_and(|text| like(&text, value)),
                "Bool" => text == value,
                "NumericLessThan" => value.parse::<f64>().unwrap() < text.parse::<f64>().unwrap(),
                other => panic!("{other}"),
            });
        found != negated
    };
    if set == "ForAnyValue" {
        values.iter().any(one)
    } else {
        values.iter().all(one)
    }
}

/// Puts the caller's name in place of its variable; the worlds know no other. The names hold no
/// wildcards, so that it does not matter that they are read as patterns.
fn fill(text: &str, caller: &Caller) -> Option<String> {
    if !text.contains("${aws:username}") {
        return Some(text.to_owned());
    }
    Some(text.replace("${aws:username}", caller.user_name()?))
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Null => vec![],
        other => vec![other.to_string()],
    }
}

fn arn_like(pattern: &str, arn: &str) -> bool {
    let patterns: Vec<&str> = pattern.splitn(6, ':').collect();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    // A `*` at the end of a part reaches over colons; the worlds have no other before the last.
    let whole = like(pattern, arn);
    let each = patterns
        .iter()
        .enumerate()
        .all(|(index, pattern)| like(pattern, parts[index]));
    each || whole
}

fn like(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = &pattern[first.len_utf8()..];
    let head = text.chars().next();
    let tail = head.map(|head| &text[head.len_utf8()..]);
    match first {
        '*' => like(rest, text) || tail.is_some_and(|tail| like(pattern, tail)),
        '?' => tail.is_some_and(|tail| like(rest, tail)),
        _ => head == Some(first) && tail.is_some_and(|tail| like(rest, tail)),
    }
}
