//! Reads the JSON of a policy into statements, noting whatever cannot be understood.

use super::arn::{ArnPattern, Missing};
use super::condition::{Condition, Operator};
use super::document::PolicyError;
use super::json::{Lines, Node, SyntaxError, Value};
use super::principal::{PrincipalElement, PrincipalEntry};
use super::statement::{ActionElement, ActionPattern, Effect, Part, ResourceElement, Statement};

const STATEMENT_KEYS: &str = "a statement has Sid, Effect, Principal or NotPrincipal, Action or \
                              NotAction, Resource or NotResource, and Condition";

/// The elements of a statement.
const ELEMENTS: &[&str] = &[
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Principal",
    "NotPrincipal",
    "Resource",
    "NotResource",
    "Condition",
];

pub(super) struct Reader<'t> {
    text: &'t str,
    /// Made for the first defect.
    lines: Option<Lines>,
    defects: Vec<PolicyError>,
    /// Whether `${…}` is a variable: from version 2012-10-17 on.
    variables: bool,
}

/// A value with its place.
struct Place<'t, 'p> {
    node: Node<'t>,
    path: &'p str,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            lines: None,
            defects: Vec::new(),
            variables: false,
        }
    }

    pub(super) fn into_defects(self) -> Vec<PolicyError> {
        self.defects
    }

    /// The statements; one of which nothing is known where the text is no policy.
    pub(super) fn document(&mut self) -> Vec<Statement> {
        let root = match Node::document(self.text) {
            Ok(root) => root,
            Err(error) => {
                self.syntax(error);
                return vec![Statement::unknown(0, "the policy is not JSON")];
            }
        };
        let Some(entries) = self.object(root, "$", "a policy is an object with a Statement") else {
            return vec![Statement::unknown(0, "the policy is not an object")];
        };
        let mut statements = None;
        let mut doubtful = false;
        for (key, node) in &entries {
            match key.as_str() {
                "Version" => self.version(*node),
                "Id" => {}
                "Statement" if statements.is_none() => statements = Some(*node),
                _ => {
                    let path = format!("$.{key}");
                    let advice = "a policy has Version, Id and Statement, each once";
                    self.defect(*node, &path, "is not a known element here", advice);
                    doubtful |= key.eq_ignore_ascii_case("Statement");
                }
            }
        }
        let Some(node) = statements else {
            let advice = "add the list of statements that the policy consists of";
            self.defect(root, "$", "has no Statement", advice);
            return vec![Statement::unknown(0, "the policy has no Statement")];
        };
        let mut read = match node.read() {
            Ok(Value::Array(nodes)) => {
                let mut read = Vec::with_capacity(nodes.len());
                for (index, node) in nodes.into_iter().enumerate() {
                    read.push(self.statement(index, node, &format!("$.Statement[{index}]")));
                }
                read
            }
            Ok(Value::Object(_)) => vec![self.statement(0, node, "$.Statement")],
            _ => {
                let advice = "write an object, or a list of objects";
                self.defect(node, "$.Statement", "is no statement", advice);
                vec![Statement::unknown(
                    0,
                    "the policy's Statement cannot be read",
                )]
            }
        };
        if doubtful {
            read.push(Statement::unknown(
                read.len(),
                "the policy has Statement more than once",
            ));
        }
        read
    }

    fn version(&mut self, node: Node<'t>) {
        match node.read() {
            Ok(Value::String(version)) if version == "2012-10-17" => self.variables = true,
            Ok(Value::String(version)) if version == "2008-10-17" => {}
            _ => {
                self.variables = true;
                let advice = "write 2012-10-17 (or 2008-10-17)";
                self.defect(
                    node,
                    "$.Version",
                    "is no version of the policy language",
                    advice,
                );
            }
        }
    }

    fn statement(&mut self, index: usize, node: Node<'t>, path: &str) -> Statement {
        let first_defect = self.defects.len();
        let mut statement = Statement::unknown(index, "");
        statement.principal = Part::Absent;
        statement.resources = Part::Absent;
        let Some(entries) = self.object(node, path, "write each statement as an object") else {
            return Statement::unknown(index, "the statement is not an object");
        };
        let mut seen: Vec<&str> = Vec::new();
        let (mut effects, mut actions) = (false, false);
        for (key, node) in &entries {
            let path = format!("{path}.{key}");
            let place = Place {
                node: *node,
                path: &path,
            };
            let known = ELEMENTS.contains(&key.as_str());
            if known && seen.contains(&key.as_str()) {
                self.defect(*node, &path, "appears twice", "keep one of the two");
                forget(&mut statement, key);
                continue;
            }
            if known {
                seen.push(key);
            }
            match key.as_str() {
                "Sid" => match node.read() {
                    Ok(Value::String(sid)) => statement.sid = (!sid.is_empty()).then(|| sid.into()),
                    _ => self.defect(*node, &path, "is not a string", "write the Sid as a string"),
                },
                "Effect" => {
                    effects = true;
                    statement.effect = self.effect(&place);
                }
                "Action" | "NotAction" if actions => {
                    let advice = "keep either Action or NotAction";
                    self.defect(*node, &path, "stands beside its opposite", advice);
                    statement.actions = None;
                }
                "Action" | "NotAction" => {
                    actions = true;
                    statement.actions = self.actions(&place, key == "NotAction");
                }
                "Principal" | "NotPrincipal" => {
                    statement.principal = if matches!(statement.principal, Part::Absent) {
                        self.principal(&place, key == "NotPrincipal")
                    } else {
                        let advice = "keep either Principal or NotPrincipal";
                        self.defect(*node, &path, "stands beside its opposite", advice);
                        Part::Unreadable
                    };
                }
                "Resource" | "NotResource" => {
                    statement.resources = if matches!(statement.resources, Part::Absent) {
                        self.resources(&place, key == "NotResource")
                    } else {
                        let advice = "keep either Resource or NotResource";
                        self.defect(*node, &path, "stands beside its opposite", advice);
                        Part::Unreadable
                    };
                }
                "Condition" => statement.conditions = self.conditions(&place).into(),
                _ => {
                    self.defect(*node, &path, "is not a known element here", STATEMENT_KEYS);
                }
            }
        }
        if !effects {
            self.defect(
                node,
                path,
                "has no Effect",
                "add \"Effect\": \"Allow\" or \"Deny\"",
            );
        }
        if !actions {
            let advice = "add the actions that the statement is about";
            self.defect(node, path, "has neither Action nor NotAction", advice);
        }
        statement.defect = self
            .defects
            .get(first_defect)
            .map(|defect| format!("{} {}", defect.path, defect.reason).into());
        statement
    }

    fn effect(&mut self, place: &Place<'t, '_>) -> Option<Effect> {
        match place.node.read() {
            Ok(Value::String(text)) if text == "Allow" => Some(Effect::Allow),
            Ok(Value::String(text)) if text == "Deny" => Some(Effect::Deny),
            _ => {
                let advice = "write \"Allow\" or \"Deny\", in this spelling";
                self.defect(place.node, place.path, "is no effect", advice);
                None
            }
        }
    }

    fn actions(&mut self, place: &Place<'t, '_>, negated: bool) -> Option<ActionElement> {
        let patterns = self.compiled(place, "write service:Action or *", ActionPattern::compile)?;
        Some(ActionElement { negated, patterns })
    }

    fn resources(&mut self, place: &Place<'t, '_>, negated: bool) -> Part<ResourceElement> {
        let variables = self.variables;
        let compile = |text: &str| ArnPattern::compile(text, variables, Missing::Everything);
        match self.compiled(
            place,
            "write an ARN, with * and ? as wildcards, or *",
            compile,
        ) {
            Some(patterns) => Part::Read(ResourceElement { negated, patterns }),
            None => Part::Unreadable,
        }
    }

    fn principal(&mut self, place: &Place<'t, '_>, negated: bool) -> Part<PrincipalElement> {
        const ADVICE: &str = "write \"*\" or an object with AWS, Service, Federated, CanonicalUser";
        match place.node.read() {
            Ok(Value::String(text)) if text == "*" => {
                let entries = Box::new([PrincipalEntry::Everyone]);
                Part::Read(PrincipalElement { negated, entries })
            }
            Ok(Value::Object(kinds)) if !kinds.is_empty() => {
                let mut entries = Vec::new();
                for (kind, node) in kinds {
                    let path = format!("{}.{kind}", place.path);
                    let place = Place { node, path: &path };
                    let read = |text: &str| PrincipalEntry::read(&kind, text);
                    match self.compiled(&place, ADVICE, read) {
                        Some(more) => entries.extend(more),
                        None => return Part::Unreadable,
                    }
                }
                Part::Read(PrincipalElement {
                    negated,
                    entries: entries.into(),
                })
            }
            _ => {
                self.defect(place.node, place.path, "is no principal", ADVICE);
                Part::Unreadable
            }
        }
    }

    /// The conditions that can be read; the others are defects, so that the statement no longer
    /// applies for certain, and those read still can rule it out.
    fn conditions(&mut self, place: &Place<'t, '_>) -> Vec<Condition> {
        let advice = "write an object of operators, each an object of keys with their values";
        let Some(operators) = self.object(place.node, place.path, advice) else {
            return Vec::new();
        };
        let mut conditions = Vec::new();
        for (name, node) in operators {
            let path = format!("{}.{name}", place.path);
            let operator = match Operator::read(&name) {
                Ok(operator) => operator,
                Err(reason) => {
                    let advice = "see the list of condition operators in the IAM User Guide";
                    self.defect(node, &path, reason, advice);
                    continue;
                }
            };
            let Some(keys) = self.object(node, &path, advice) else {
                continue;
            };
            for (key, node) in keys {
                let path = format!("{path}.{key}");
                let place = Place { node, path: &path };
                if key.is_empty() {
                    self.defect(
                        node,
                        &path,
                        "is no condition key",
                        "name the key to compare",
                    );
                    continue;
                }
                let Some(texts) = self.scalars(&place) else {
                    continue;
                };
                match Condition::compile(operator, &name, &key, texts, self.variables) {
                    Ok(condition) => conditions.push(condition),
                    Err((index, reason)) => {
                        let advice = "write a value of the operator's type";
                        self.defect(node, &format!("{path}[{index}]"), reason, advice);
                    }
                }
            }
        }
        conditions
    }

    /// A string or a list of strings, each compiled; `None` where any of it cannot be.
    fn compiled<T>(
        &mut self,
        place: &Place<'t, '_>,
        advice: &str,
        compile: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<Box<[T]>> {
        let nodes = match place.node.read() {
            Ok(Value::String(_)) => vec![place.node],
            Ok(Value::Array(nodes)) if !nodes.is_empty() => nodes,
            Ok(Value::Array(_)) => {
                self.defect(place.node, place.path, "is an empty list", advice);
                return None;
            }
            _ => {
                self.defect(
                    place.node,
                    place.path,
                    "is neither a string nor a list",
                    advice,
                );
                return None;
            }
        };
        let mut compiled = Vec::with_capacity(nodes.len());
        let count = self.defects.len();
        for (index, node) in nodes.iter().enumerate() {
            let result = match node.read() {
                Ok(Value::String(text)) => compile(&text),
                _ => Err("is not a string"),
            };
            match result {
                Ok(item) => compiled.push(item),
                Err(reason) => {
                    self.defect(*node, &format!("{}[{index}]", place.path), reason, advice);
                }
            }
        }
        (self.defects.len() == count).then(|| compiled.into())
    }

    /// Values of a condition, as text.
    fn scalars(&mut self, place: &Place<'t, '_>) -> Option<Vec<String>> {
        let nodes = match place.node.read() {
            Ok(Value::Array(nodes)) => nodes,
            _ => vec![place.node],
        };
        let mut texts = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node.read() {
                Ok(Value::String(text)) => texts.push(text),
                Ok(Value::Bool | Value::Number) => texts.push(node.text().to_owned()),
                Ok(other) => {
                    let reason = format!("is {}, not a value", other.kind());
                    self.defect(
                        node,
                        place.path,
                        &reason,
                        "write a string, or a list of strings",
                    );
                    return None;
                }
                Err(error) => {
                    self.syntax(error);
                    return None;
                }
            }
        }
        Some(texts)
    }

    fn object(
        &mut self,
        node: Node<'t>,
        path: &str,
        advice: &str,
    ) -> Option<Vec<(String, Node<'t>)>> {
        match node.read() {
            Ok(Value::Object(entries)) => Some(entries),
            Ok(other) => {
                let reason = format!("is {}, not an object", other.kind());
                self.defect(node, path, &reason, advice);
                None
            }
            Err(error) => {
                self.syntax(error);
                None
            }
        }
    }

    fn syntax(&mut self, error: SyntaxError) {
        self.defects.push(PolicyError {
            path: "$".into(),
            line: error.line,
            column: error.column,
            reason: format!("is not JSON: {}", error.reason),
            advice: "mend the JSON".into(),
        });
    }

    fn defect(&mut self, node: Node<'t>, path: &str, reason: &str, advice: &str) {
        let lines = self.lines.get_or_insert_with(|| Lines::new(self.text));
        let (line, column) = lines.position(node.offset());
        self.defects.push(PolicyError {
            path: path.to_owned(),
            line,
            column,
            reason: reason.to_owned(),
            advice: advice.to_owned(),
        });
    }
}

/// Unlearns a part that the statement has twice.
fn forget(statement: &mut Statement, key: &str) {
    match key {
        "Effect" => statement.effect = None,
        "Action" | "NotAction" => statement.actions = None,
        "Principal" | "NotPrincipal" => statement.principal = Part::Unreadable,
        "Resource" | "NotResource" => statement.resources = Part::Unreadable,
        // Conditions that were read still must hold, unless the second replaces them.
        "Condition" => statement.conditions = Box::new([]),
        _ => {}
    }
}
