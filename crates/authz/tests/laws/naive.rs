//! A second evaluator, written for plainness: it walks the JSON, knows every key, and compares
//! wildcards by recursion. It serves only to be compared with.
//!
//! Where AWS does not say what happens it takes what it is told to take, and remembers that it
//! had to.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::{Constraint, Who, World};

/// The values of the request's keys, names in lower case; a key that is not there is absent.
pub(crate) type Keys = BTreeMap<String, Vec<String>>;

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    /// Whether something was asked of which AWS does not say.
    pub(crate) doubted: bool,
}

/// Whether the request is allowed; `doubt` is what becomes of tests of which AWS does not say.
pub(crate) fn judge(
    world: &World,
    action: &str,
    resource: &str,
    keys: &Keys,
    doubt: bool,
) -> Verdict {
    let mut all = keys.clone();
    for (key, value) in derived(world) {
        all.entry(key.to_owned()).or_insert_with(|| vec![value]);
    }
    let judge = Judge {
        world,
        action: action.to_lowercase(),
        resource,
        keys: all,
        doubt,
        doubted: Cell::new(false),
    };
    let allowed = judge.allowed();
    Verdict {
        allowed,
        doubted: judge.doubted.get(),
    }
}

/// Keys that follow from who asks and of whom the resource is.
fn derived(world: &World) -> Vec<(&'static str, String)> {
    let arn = world.who.arn();
    let kind = match world.who {
        Who::User | Who::ForeignUser => "User",
        Who::Session | Who::ForeignSession | Who::Linked => "AssumedRole",
        Who::Federated | Who::Provider => "FederatedUser",
        Who::Root => "Account",
        Who::Anonymous => "Anonymous",
        Who::Service => "",
    };
    let is_service = world.who == Who::Service;
    let mut keys = vec![
        ("aws:principalisawsservice", is_service.to_string()),
        ("aws:resourceaccount", world.owner.clone()),
    ];
    if !kind.is_empty() {
        keys.push(("aws:principaltype", kind.to_owned()));
    }
    if !matches!(world.who, Who::Service | Who::Anonymous) {
        let principal = match world.who {
            Who::Session => world.who.issuer().unwrap(),
            Who::ForeignSession => "arn:aws:iam::444455556666:role/audit",
            _ => arn,
        };
        keys.push(("aws:principalarn", principal.to_owned()));
        keys.push(("aws:principalaccount", account(arn).to_owned()));
    }
    if kind == "User" {
        let name = arn.rsplit('/').next().unwrap();
        keys.push(("aws:username", name.to_owned()));
    }
    keys
}

fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or("")
}

/// How a statement names the caller.
#[derive(Clone, Copy, Default)]
struct Named {
    itself: bool,
    role: bool,
    account: bool,
}

impl Named {
    fn any(self) -> bool {
        self.itself || self.role || self.account
    }
}

struct Judge<'w> {
    world: &'w World,
    action: String,
    resource: &'w str,
    keys: Keys,
    doubt: bool,
    doubted: Cell<bool>,
}

impl Judge<'_> {
    fn doubtful(&self) -> bool {
        self.doubted.set(true);
        self.doubt
    }

    fn allowed(&self) -> bool {
        let world = self.world;
        let service = self.action.split(':').next().unwrap();
        let no_account = matches!(world.who, Who::Service | Who::Provider | Who::Anonymous);
        let scps_bind = !world.exempt_from_scp && world.who != Who::Linked && !no_account;
        let rcps_bind = ["s3", "sqs", "sts", "kms"].contains(&service)
            && world.who != Who::Linked
            && self.action != "kms:retiregrant";
        let scps: &[Vec<Value>] = if scps_bind { &world.scps } else { &[] };
        let rcps: &[Vec<Value>] = if rcps_bind { &world.rcps } else { &[] };

        // A deny anywhere.
        let everything = world
            .identity
            .iter()
            .chain(&world.boundary)
            .chain(&world.session)
            .chain(scps.iter().flatten())
            .chain(rcps.iter().flatten())
            .chain(&world.endpoint)
            .chain(&world.resource);
        // No short cut: every doubt that could matter is to be seen.
        let denies: Vec<bool> = everything.map(|policy| self.says(policy, "Deny")).collect();
        if denies.contains(&true) {
            return false;
        }
        // The bounds.
        let allows = |policies: &[Value]| {
            let each: Vec<bool> = policies
                .iter()
                .map(|policy| self.says(policy, "Allow"))
                .collect();
            each.contains(&true)
        };
        let has_allow = |policies: &[Value]| {
            let mut statements = policies.iter().flat_map(statements);
            statements.any(|statement| statement["Effect"] == "Allow")
        };
        if scps.iter().any(|level| !allows(level)) {
            return false;
        }
        if rcps.iter().any(|level| has_allow(level) && !allows(level)) {
            return false;
        }
        if !world.endpoint.is_empty() && !allows(&world.endpoint) {
            return false;
        }
        let outside = match world.who {
            Who::Service => false,
            Who::Provider | Who::Anonymous => true,
            who => account(who.arn()) != world.owner,
        };
        if service == "s3" && world.restrict_public_buckets && outside && self.is_public() {
            return false;
        }

        // The two sides.
        let bounded = world
            .boundary
            .as_ref()
            .is_none_or(|policy| self.says(policy, "Allow"))
            && world
                .session
                .as_ref()
                .is_none_or(|policy| self.says(policy, "Allow"));
        let own = match world.who {
            Who::Root => bounded,
            Who::Federated if world.session.is_none() => false,
            _ => allows(&world.identity) && bounded,
        };
        let assumes = self.action == "sts:assumerole";
        if world.who == Who::Root && assumes {
            return false;
        }
        let given = self.given();
        if no_account {
            return given.any();
        }
        if outside {
            return (own && given.any()) || self.granted_from_outside();
        }
        if assumes || service == "kms" {
            // Trust and key policies must speak.
            return given.itself || (given.role && bounded) || (given.account && own);
        }
        given.itself || (given.role && bounded) || own
    }

    /// What the resource's side allows, by how it names the caller.
    fn given(&self) -> Named {
        let mut given = Named::default();
        for statement in self.world.resource.iter().flat_map(statements) {
            if statement["Effect"] == "Allow"
                && self.applies(&statement, variables(&self.world.resource))
            {
                let named = self.names(&statement);
                given.itself |= named.itself;
                given.role |= named.role;
                given.account |= named.account;
            }
        }
        if self.action.starts_with("s3:") {
            let lists = [
                (&self.world.object_acl, true),
                (&self.world.bucket_acl, false),
            ];
            for (list, object) in lists {
                for (grantee, permission) in list {
                    let named = self.listed(grantee);
                    if permits(object, permission, &self.action) {
                        given.itself |= named.itself;
                        given.account |= named.account;
                    }
                }
            }
        }
        if self.action.starts_with("kms:") {
            for index in 0..self.world.grants.len() {
                let named = self.granted(index);
                given.itself |= named.itself;
                given.role |= named.role;
                given.account |= named.account;
            }
        }
        given
    }

    /// What an entry of a list gives the caller.
    fn listed(&self, grantee: &str) -> Named {
        let who = self.world.who;
        let signed = !matches!(who, Who::Service | Who::Provider | Who::Anonymous);
        let public = ["everyone", "authenticated"].contains(&grantee);
        if public && self.world.ignore_public_acls {
            return Named::default();
        }
        let own = signed && account(who.arn()) == grantee;
        Named {
            itself: grantee == "everyone"
                || (grantee == "authenticated" && signed)
                || (own && who == Who::Root),
            role: false,
            account: own && who != Who::Root,
        }
    }

    /// What a grant gives the caller.
    fn granted(&self, index: usize) -> Named {
        let grant = &self.world.grants[index];
        let operation = match self.action.as_str() {
            "kms:decrypt" => "Decrypt",
            "kms:retiregrant" => "RetireGrant",
            _ => return Named::default(),
        };
        let value = |key: &str| self.keys.get(key).cloned().unwrap_or_default();
        let pair = value("kms:encryptioncontext:app") == ["web"];
        let others = value("kms:encryptioncontextkeys")
            .iter()
            .any(|key| key != "app");
        let met = operation == "RetireGrant"
            || match grant.constraint {
                Constraint::None => true,
                Constraint::Subset => pair,
                Constraint::Equals => pair && !others,
            };
        let mut named = Named::default();
        let mut names = Vec::new();
        if grant.operations.contains(&operation) && met {
            names.push(grant.grantee);
        }
        if operation == "RetireGrant" {
            names.extend(grant.retiring);
        }
        for name in names {
            let kind = if name.contains(':') { "AWS" } else { "Service" };
            let next = self.name(kind, name);
            named.itself |= next.itself;
            named.role |= next.role;
            named.account |= next.account;
        }
        named
    }

    /// Between accounts, a grant without the caller's side.
    fn granted_from_outside(&self) -> bool {
        if !self.action.starts_with("kms:") {
            return false;
        }
        let own = account(self.world.who.arn());
        let mut open = false;
        for index in 0..self.world.grants.len() {
            let named = self.granted(index);
            if named.itself || named.role {
                if self.world.grants[index].issuer == own {
                    return true;
                }
                open = true;
            }
        }
        open && self.doubtful()
    }

    /// Whether a policy has a statement of an effect that speaks of the request.
    fn says(&self, policy: &Value, effect: &str) -> bool {
        let each: Vec<bool> = statements(policy)
            .iter()
            .map(|statement| {
                statement["Effect"] == effect
                    && self.applies(statement, variables(&Some(policy.clone())))
                    && self.names(statement).any()
            })
            .collect();
        each.contains(&true)
    }

    fn names(&self, statement: &Value) -> Named {
        let everyone = Named {
            itself: true,
            ..Named::default()
        };
        if let Some(listed) = statement.get("NotPrincipal") {
            return self.names_all_but(listed, statement["Effect"] == "Deny");
        }
        match statement.get("Principal") {
            None => everyone,
            Some(listed) => self.named_by(listed),
        }
    }

    fn named_by(&self, listed: &Value) -> Named {
        let mut named = Named::default();
        for (kind, name) in entries(listed) {
            let next = self.name(&kind, &name);
            named.itself |= next.itself;
            named.role |= next.role;
            named.account |= next.account;
        }
        named
    }

    fn names_all_but(&self, listed: &Value, denies: bool) -> Named {
        let everyone = Named {
            itself: true,
            ..Named::default()
        };
        let spared = self.named_by(listed);
        if !denies {
            return if spared.any() {
                Named::default()
            } else {
                everyone
            };
        }
        if self.world.boundary.is_some() || !spared.itself {
            return everyone;
        }
        let all = entries(listed)
            .iter()
            .any(|(kind, name)| name == "*" && kind != "Service" && kind != "Federated");
        let wholly = match self.world.who {
            Who::User | Who::ForeignUser => spared.account,
            Who::Session | Who::ForeignSession | Who::Federated | Who::Linked => {
                spared.account && spared.role
            }
            _ => true,
        };
        if all || wholly {
            return Named::default();
        }
        Named {
            itself: self.doubtful(),
            ..Named::default()
        }
    }

    /// How one name names the caller.
    fn name(&self, kind: &str, name: &str) -> Named {
        let who = self.world.who;
        let itself = |itself: bool| Named {
            itself,
            ..Named::default()
        };
        if kind == "Service" {
            return itself(who == Who::Service && (name == "*" || name == who.arn()));
        }
        if kind == "Federated" {
            let known = name == who.arn() || who.arn().ends_with(&format!("oidc-provider/{name}"));
            return itself(who == Who::Provider && (name == "*" || known));
        }
        if name == "*" {
            return itself(true);
        }
        if matches!(who, Who::Service | Who::Provider | Who::Anonymous) {
            return Named::default();
        }
        if !name.contains(':') || name.ends_with(":root") {
            let number = if name.contains(':') {
                account(name)
            } else {
                name
            };
            let same = number == account(who.arn());
            return Named {
                itself: same && who == Who::Root,
                role: false,
                account: same && who != Who::Root,
            };
        }
        let issuer = match who {
            Who::ForeignSession => Some("arn:aws:iam::444455556666:role/audit"),
            Who::Linked => Some(who.arn()),
            _ => who.issuer(),
        };
        Named {
            itself: name == who.arn() && who != Who::Linked,
            role: issuer == Some(name),
            account: false,
        }
    }

    /// Whether S3 would call the bucket's policy public.
    fn is_public(&self) -> bool {
        self.world
            .resource
            .iter()
            .flat_map(statements)
            .any(|statement| {
                let open = statement.get("NotPrincipal").is_some()
                    || entries(&statement["Principal"])
                        .iter()
                        .any(|(kind, name)| name == "*" && kind == "AWS");
                let blocks = statement["Condition"].as_object();
                let narrowed = blocks.is_some_and(|operators| {
                    operators.iter().any(|(operator, tests)| {
                        let tests = tests.as_object().unwrap();
                        tests
                            .iter()
                            .any(|(key, values)| narrows(operator, key, &texts(values)))
                    })
                });
                statement["Effect"] == "Allow" && open && !narrowed
            })
    }

    fn applies(&self, statement: &Value, variables: bool) -> bool {
        let action_in = |field: &str| {
            texts(&statement[field]).iter().any(|text| {
                if text == "*" {
                    return true;
                }
                like(&plain(&text.to_lowercase()), &self.action)
            })
        };
        let resource_in = |field: &str| {
            texts(&statement[field])
                .iter()
                .any(|text| self.arn_covers(text, variables, self.resource))
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
        actions && resources && self.conditions(&statement["Condition"], variables)
    }

    /// A pattern of resources: part by part, or as a whole where parts are missing.
    fn arn_covers(&self, pattern: &str, variables: bool, arn: &str) -> bool {
        if pattern == "*" {
            return true;
        }
        let Some(tokens) = self.tokens(pattern, true, variables) else {
            return false;
        };
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        if parts.len() < 6 {
            return false;
        }
        let patterns = split(&tokens);
        let each = patterns
            .iter()
            .zip(&parts)
            .all(|(pattern, part)| like(pattern, part));
        each || (patterns.len() < 6 && like(&tokens, arn))
    }

    fn conditions(&self, condition: &Value, variables: bool) -> bool {
        let Some(operators) = condition.as_object() else {
            return true;
        };
        operators.iter().all(|(operator, tests)| {
            let tests = tests.as_object().unwrap();
            tests
                .iter()
                .all(|(key, wanted)| self.test(operator, key, &texts(wanted), variables))
        })
    }

    fn test(&self, operator: &str, key: &str, wanted: &[String], variables: bool) -> bool {
        let values = self.keys.get(&key.to_lowercase());
        let mut values = values.filter(|values| !values.is_empty());
        if operator == "Null" {
            let absent = values.is_none().to_string();
            return wanted.contains(&absent);
        }
        let (set, rest) = operator.split_once(':').unwrap_or(("", operator));
        let if_exists = rest.ends_with("IfExists");
        let base = rest.trim_end_matches("IfExists");
        let negated = base.contains("Not");
        let base = base.replace("Not", "");
        if !set.is_empty() && values.is_some_and(|values| values.iter().all(String::is_empty)) {
            values = None;
        }
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
                .any(|text| self.compare(&base, text, value, variables));
            found != negated
        };
        match set {
            "ForAnyValue" => values.iter().any(one),
            "ForAllValues" => values.iter().all(one),
            _ if values.len() > 1 => self.doubtful(),
            _ => values.iter().all(one),
        }
    }

    fn compare(&self, base: &str, wanted: &str, value: &str, variables: bool) -> bool {
        let order = |found: f64, limit: f64| {
            let ending = base
                .trim_start_matches("Numeric")
                .trim_start_matches("Date");
            match ending {
                "Equals" => found == limit,
                "LessThan" => found < limit,
                "LessThanEquals" => found <= limit,
                "GreaterThan" => found > limit,
                _ => found >= limit,
            }
        };
        match base {
            "StringEquals" => self
                .tokens(wanted, false, variables)
                .is_some_and(|tokens| like(&tokens, value)),
            "StringEqualsIgnoreCase" => self
                .tokens(wanted, false, variables)
                .is_some_and(|tokens| like(&lower(&tokens), &value.to_lowercase())),
            "StringLike" => self
                .tokens(wanted, true, variables)
                .is_some_and(|tokens| like(&tokens, value)),
            "Bool" | "BinaryEquals" => wanted == value,
            "IpAddress" => in_network(value, wanted),
            "ArnEquals" | "ArnLike" => {
                let parts: Vec<&str> = value.splitn(6, ':').collect();
                wanted == "*"
                    || (parts.len() == 6
                        && wanted
                            .splitn(6, ':')
                            .zip(&parts)
                            .all(|(pattern, part)| like(&plain(pattern), part)))
            }
            _ if base.starts_with("Date") => order(seconds(value), seconds(wanted)),
            _ => order(value.parse().unwrap(), wanted.parse().unwrap()),
        }
    }

    /// A pattern with its variables replaced; none where one has no value.
    fn tokens(&self, text: &str, wildcards: bool, variables: bool) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if variables && rest.starts_with("${") {
                let (inside, after) = rest[2..].split_once('}').unwrap();
                rest = after;
                if ["*", "?", "$"].contains(&inside) {
                    tokens.push(Token::Is(inside.chars().next().unwrap()));
                    continue;
                }
                let (key, default) = match inside.split_once(',') {
                    Some((key, default)) => (key, Some(default.trim().trim_matches('\''))),
                    None => (inside, None),
                };
                let value = match self.keys.get(&key.to_lowercase()).map(Vec::as_slice) {
                    Some([value]) => value,
                    _ => default?,
                };
                tokens.extend(value.chars().map(Token::Is));
                continue;
            }
            tokens.push(match next {
                '*' if wildcards => Token::Any,
                '?' if wildcards => Token::One,
                other => Token::Is(other),
            });
            rest = &rest[next.len_utf8()..];
        }
        Some(tokens)
    }
}

/// Whether `${…}` is a variable in a policy.
fn variables(policy: &Option<Value>) -> bool {
    policy
        .as_ref()
        .is_some_and(|policy| policy["Version"] == "2012-10-17")
}

fn statements(policy: &Value) -> Vec<Value> {
    policy["Statement"].as_array().unwrap().clone()
}

/// Kind and name of each principal listed.
fn entries(listed: &Value) -> Vec<(String, String)> {
    match listed {
        Value::String(name) => vec![("AWS".to_owned(), name.clone())],
        Value::Object(kinds) => {
            let pairs = kinds.iter().flat_map(|(kind, names)| {
                let pair = |name| (kind.clone(), name);
                texts(names).into_iter().map(pair).collect::<Vec<_>>()
            });
            pairs.collect()
        }
        _ => vec![],
    }
}

/// Whether a test makes S3 call a policy non-public.
fn narrows(operator: &str, key: &str, values: &[String]) -> bool {
    let plain = [
        "StringEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "IpAddress",
        "ArnEquals",
        "ArnLike",
    ];
    let base = operator.trim_start_matches("ForAnyValue:");
    if !plain.contains(&base) {
        return false;
    }
    let fixed = values.iter().all(|value| !value.contains(['*', '?', '$']));
    match key {
        "aws:SourceIp" => !values.iter().any(|value| value == "0.0.0.0/0"),
        "aws:SourceArn" | "aws:PrincipalArn" | "aws:PrincipalAccount" => fixed,
        _ => false,
    }
}

/// Which action an entry of a list permits.
fn permits(object: bool, permission: &str, action: &str) -> bool {
    match action {
        "s3:getobject" => object && ["READ", "FULL_CONTROL"].contains(&permission),
        "s3:listbucket" => !object && ["READ", "FULL_CONTROL"].contains(&permission),
        "s3:putobject" => !object && ["WRITE", "FULL_CONTROL"].contains(&permission),
        _ => false,
    }
}

/// The dates of the worlds, in order.
fn seconds(text: &str) -> f64 {
    match text {
        "2026-01-01T00:00:00Z" => 1.0,
        "2026-03-01T00:00:00Z" => 2.0,
        "2026-06-01T00:00:00Z" | "1780272000" => 3.0,
        other => panic!("{other}"),
    }
}

/// The networks of the worlds.
fn in_network(address: &str, network: &str) -> bool {
    match network {
        "10.0.0.0/8" => address.starts_with("10."),
        "203.0.113.9" => address == "203.0.113.9",
        "0.0.0.0/0" => !address.contains(':'),
        "2001:db8::/32" => address.starts_with("2001:db8:"),
        other => panic!("{other}"),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Null => vec![],
        other => vec![other.to_string()],
    }
}

/// One character of a pattern.
#[derive(Clone, Copy, PartialEq)]
enum Token {
    Is(char),
    One,
    Any,
}

fn plain(text: &str) -> Vec<Token> {
    let token = |character| match character {
        '*' => Token::Any,
        '?' => Token::One,
        other => Token::Is(other),
    };
    text.chars().map(token).collect()
}

fn lower(tokens: &[Token]) -> Vec<Token> {
    let token = |token: &Token| match token {
        Token::Is(character) => Token::Is(character.to_lowercase().next().unwrap()),
        other => *other,
    };
    tokens.iter().map(token).collect()
}

/// At the first five colons.
fn split(tokens: &[Token]) -> Vec<Vec<Token>> {
    let mut parts = vec![vec![]];
    for token in tokens {
        if *token == Token::Is(':') && parts.len() < 6 {
            parts.push(vec![]);
        } else {
            parts.last_mut().unwrap().push(*token);
        }
    }
    parts
}

fn like(pattern: &[Token], text: &str) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return text.is_empty();
    };
    let head = text.chars().next();
    let tail = head.map(|head| &text[head.len_utf8()..]);
    match first {
        Token::Any => like(rest, text) || tail.is_some_and(|tail| like(pattern, tail)),
        Token::One => tail.is_some_and(|tail| like(rest, tail)),
        Token::Is(character) => {
            head == Some(*character) && tail.is_some_and(|tail| like(rest, tail))
        }
    }
}
