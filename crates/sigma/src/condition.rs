//! The condition: text to an expression over search identifiers.

use std::ops::Range;

use crate::diagnostic::{DiagnosticKind, Problem};
use crate::expression::Expression;
use crate::modifier::closest;

/// Parentheses and negations nested deeper are refused.
const MAX_DEPTH: usize = 64;
/// The most search identifiers that a condition may come to stand for.
const MAX_REFERENCES: usize = 10_000;

/// A condition in its rule: the names that it may use, and where its text stands in the file.
pub(crate) struct Condition<'a> {
    /// The search identifiers of the rule, in order.
    pub(crate) names: &'a [&'a str],
    /// The place of the whole scalar.
    pub(crate) span: Range<usize>,
    /// The offset of the text in the file, where the scalar stands there as it is read.
    pub(crate) offset: Option<usize>,
}

#[derive(Clone, Debug)]
struct Token<'t> {
    text: &'t str,
    at: Range<usize>,
}

impl Token<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

struct Reader<'a, 't> {
    condition: &'a Condition<'a>,
    tokens: Vec<Token<'t>>,
    next: usize,
    end: usize,
    references: usize,
}

impl Condition<'_> {
    /// Reads the text; the leaves are numbers of search identifiers.
    pub(crate) fn read(&self, text: &str) -> Result<Expression<usize>, Problem> {
        let tokens = tokens(text);
        let mut reader = Reader {
            condition: self,
            tokens,
            next: 0,
            end: text.len(),
            references: 0,
        };
        let expression = reader.any(0)?;
        match reader.peek().cloned() {
            None => Ok(expression),
            Some(token) if token.text == "|" => Err(reader
                .refuse(&token, "aggregations are no part of Sigma 2".into())
                .help("write the count as a correlation document of its own")),
            Some(token) => {
                Err(reader.refuse(&token, format!("`{}` is not expected here", token.text)))
            }
        }
    }
}

/// The names that a condition over rules speaks of, in order, each once.
pub(crate) fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for token in tokens(text) {
        let is_name = !["(", ")", "|", "and", "or", "not"]
            .iter()
            .any(|word| token.is(word));
        if is_name && !words.iter().any(|word| word == token.text) {
            words.push(token.text.to_owned());
        }
    }
    words
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut word: Option<usize> = None;
    for (at, character) in text.char_indices() {
        let single = matches!(character, '(' | ')' | '|');
        if (single || character.is_whitespace())
            && let Some(start) = word.take()
        {
            tokens.push(Token {
                text: &text[start..at],
                at: start..at,
            });
        }
        if single {
            tokens.push(Token {
                text: &text[at..at + 1],
                at: at..at + 1,
            });
        } else if !character.is_whitespace() && word.is_none() {
            word = Some(at);
        }
    }
    if let Some(start) = word {
        tokens.push(Token {
            text: &text[start..],
            at: start..text.len(),
        });
    }
    tokens
}

impl<'t> Reader<'_, 't> {
    fn peek(&self) -> Option<&Token<'t>> {
        self.tokens.get(self.next)
    }

    fn peek_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is(word))
    }

    fn place(&self, at: &Range<usize>) -> Range<usize> {
        match self.condition.offset {
            Some(offset) => offset + at.start..offset + at.end,
            None => self.condition.span.clone(),
        }
    }

    fn refuse(&self, token: &Token<'_>, message: String) -> Problem {
        Problem::error(DiagnosticKind::Condition, &self.place(&token.at), message)
    }

    fn ended(&self, expected: &str) -> Problem {
        let at = self.place(&(self.end..self.end));
        Problem::error(
            DiagnosticKind::Condition,
            &at,
            format!("the condition ends where {expected} is expected"),
        )
    }

    fn any(&mut self, depth: usize) -> Result<Expression<usize>, Problem> {
        let mut parts = vec![self.all(depth)?];
        while self.peek_word("or") {
            self.next += 1;
            parts.push(self.all(depth)?);
        }
        Ok(Expression::any(parts))
    }

    fn all(&mut self, depth: usize) -> Result<Expression<usize>, Problem> {
        let mut parts = vec![self.not(depth)?];
        while self.peek_word("and") {
            self.next += 1;
            parts.push(self.not(depth)?);
        }
        Ok(Expression::all(parts))
    }

    fn not(&mut self, depth: usize) -> Result<Expression<usize>, Problem> {
        if !self.peek_word("not") {
            return self.primary(depth);
        }
        self.deeper(depth)?;
        self.next += 1;
        Ok(Expression::Not(Box::new(self.not(depth + 1)?)))
    }

    fn deeper(&self, depth: usize) -> Result<(), Problem> {
        match self.peek() {
            Some(token) if depth >= MAX_DEPTH => Err(Problem::error(
                DiagnosticKind::Limit,
                &self.place(&token.at),
                format!("a condition nested deeper than {MAX_DEPTH}"),
            )),
            _ => Ok(()),
        }
    }

    fn primary(&mut self, depth: usize) -> Result<Expression<usize>, Problem> {
        let Some(token) = self.peek().cloned() else {
            return Err(self.ended("a search identifier"));
        };
        if token.text == "(" {
            self.deeper(depth)?;
            self.next += 1;
            let inner = self.any(depth + 1)?;
            return match self.peek().cloned() {
                Some(close) if close.text == ")" => {
                    self.next += 1;
                    Ok(inner)
                }
                Some(other) => {
                    Err(self.refuse(&other, format!("`)` is expected before `{}`", other.text)))
                }
                None => Err(self.ended("`)`")),
            };
        }
        if self
            .tokens
            .get(self.next + 1)
            .is_some_and(|next| next.is("of"))
        {
            return self.quantified(&token);
        }
        let index = self
            .condition
            .names
            .iter()
            .position(|name| *name == token.text);
        if let Some(index) = index {
            self.next += 1;
            self.count(1, &token)?;
            return Ok(Expression::Leaf(index));
        }
        if [")", "|", "and", "or"].iter().any(|word| token.is(word)) {
            return Err(self.refuse(
                &token,
                format!("a search identifier is expected before `{}`", token.text),
            ));
        }
        let problem = self.refuse(
            &token,
            format!("there is no search identifier `{}`", token.text),
        );
        Err(
            match closest(token.text, self.condition.names.iter().copied()) {
                Some(name) => problem.help(format!("did you mean `{name}`?")),
                None => problem,
            },
        )
    }

    fn quantified(&mut self, quantity: &Token<'t>) -> Result<Expression<usize>, Problem> {
        let Some(target) = self.tokens.get(self.next + 2).cloned() else {
            return Err(self.ended("`them` or a pattern of search identifiers"));
        };
        let chosen: Vec<usize> = (0..)
            .zip(self.condition.names)
            .filter(|(_, name)| {
                if target.is("them") {
                    !name.starts_with('_')
                } else {
                    (!name.starts_with('_') || target.text.starts_with('_'))
                        && glob(target.text, name)
                }
            })
            .map(|(index, _)| index)
            .collect();
        if chosen.is_empty() {
            return Err(self.refuse(
                &target,
                format!("no search identifier is meant by `{}`", target.text),
            ));
        }
        self.count(chosen.len(), &target)?;
        let total = chosen.len();
        let parts: Vec<_> = chosen.into_iter().map(Expression::Leaf).collect();
        let expression = if quantity.is("all") {
            Expression::all(parts)
        } else if quantity.is("any") || quantity.text == "1" {
            Expression::any(parts)
        } else {
            match quantity.text.parse::<usize>() {
                Ok(count) if count >= 1 && count <= total => Expression::AtLeast(count, parts),
                Ok(_) => {
                    return Err(self.refuse(
                        quantity,
                        format!("`{}` of {total} search identifiers", quantity.text),
                    ));
                }
                Err(_) => {
                    return Err(self.refuse(
                        quantity,
                        "a number, `any` or `all` is expected before `of`".into(),
                    ));
                }
            }
        };
        self.next += 3;
        Ok(expression)
    }

    fn count(&mut self, more: usize, token: &Token<'_>) -> Result<(), Problem> {
        self.references += more;
        if self.references <= MAX_REFERENCES {
            return Ok(());
        }
        Err(Problem::error(
            DiagnosticKind::Limit,
            &self.place(&token.at),
            format!("a condition that asks more than {MAX_REFERENCES} times"),
        ))
    }
}

/// Whether a pattern, in which `*` stands for any text, spells the name.
fn glob(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = [
        "selection_a",
        "selection_b",
        "filter",
        "_hidden",
        "keywords",
        "a1",
    ];

    fn read(text: &str) -> Result<Expression<usize>, Problem> {
        Condition {
            names: &NAMES,
            span: 0..text.len(),
            offset: Some(0),
        }
        .read(text)
    }

    fn show(text: &str) -> String {
        fn write(expression: &Expression<usize>) -> String {
            let join =
                |parts: &[Expression<usize>]| parts.iter().map(write).collect::<Vec<_>>().join(" ");
            match expression {
                Expression::All(parts) => format!("(and {})", join(parts)),
                Expression::Any(parts) => format!("(or {})", join(parts)),
                Expression::AtLeast(count, parts) => format!("({count} {})", join(parts)),
                Expression::Not(inner) => format!("(not {})", write(inner)),
                Expression::Leaf(index) => NAMES[*index].to_owned(),
            }
        }
        write(&read(text).unwrap())
    }

    #[test]
    fn negation_binds_closest_then_and_then_or() {
        assert_eq!(
            show("filter or selection_a and not selection_b"),
            "(or filter (and selection_a (not selection_b)))"
        );
        assert_eq!(
            show("(filter or a1) and keywords"),
            "(and (or filter a1) keywords)"
        );
        assert_eq!(show("not not a1"), "(not (not a1))");
        assert_eq!(show("NOT a1 AND filter"), "(and (not a1) filter)");
    }

    #[test]
    fn quantifiers_choose_by_pattern() {
        assert_eq!(show("1 of selection_*"), "(or selection_a selection_b)");
        assert_eq!(show("all of selection_*"), "(and selection_a selection_b)");
        assert_eq!(show("any of *_b"), "selection_b");
        assert_eq!(show("all of filter*"), "filter");
        assert_eq!(
            show("2 of them"),
            "(2 selection_a selection_b filter keywords a1)"
        );
        assert_eq!(show("1 of _*"), "_hidden");
        assert_eq!(show("not 1 of sel*a and a1"), "(and (not selection_a) a1)");
    }

    #[test]
    fn mistakes_are_told_at_their_place() {
        let problem = read("a1 and selction_a").unwrap_err();
        assert_eq!(problem.span, 7..17);
        assert_eq!(problem.help.as_deref(), Some("did you mean `selection_a`?"));
        for text in [
            "",
            "a1 and",
            "(a1",
            "a1)",
            "a1 filter",
            "and a1",
            "1 of nothing*",
            "0 of them",
            "9 of them",
            "some of them",
            "1 of",
            "not",
            "()",
            "a1 | count() > 5",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = format!("{}a1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert_eq!(read(&deep).unwrap_err().kind, DiagnosticKind::Limit);
        assert_eq!(
            read(&"not ".repeat(10_000)).unwrap_err().kind,
            DiagnosticKind::Limit
        );
        let long = vec!["1 of them"; 5_000].join(" or ");
        assert_eq!(read(&long).unwrap_err().kind, DiagnosticKind::Limit);
    }

    #[test]
    fn globs_match_whole_names() {
        for (pattern, name, expected) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "abcd", false),
            ("*", "", true),
            ("a*a", "a", false),
            ("*b*", "abc", true),
            ("abc", "abcd", false),
            ("a**c", "ac", true),
        ] {
            assert_eq!(glob(pattern, name), expected, "{pattern} {name}");
        }
    }
}
