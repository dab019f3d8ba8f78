//! Patterns with `*`, `?` and policy variables.

use std::cmp::Ordering;

use super::keys::{Keys, Known};

/// Longer patterns are refused: no ARN and no condition value comes near, and it bounds the time
/// that a comparison takes.
pub(super) const MAX_PATTERN: usize = 8192;

/// Undecided is between no and yes, so that `min` is *and*, `max` is *or*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tri {
    No,
    Maybe,
    Yes,
}

impl Tri {
    pub(super) fn not(self) -> Self {
        match self {
            Tri::No => Tri::Yes,
            Tri::Maybe => Tri::Maybe,
            Tri::Yes => Tri::No,
        }
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Tri::Yes } else { Tri::No }
    }
}

/// A policy variable: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Variable {
    pub(super) key: Box<str>,
    pub(super) lower_case_key: Box<str>,
    pub(super) default: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Piece {
    Text(Box<str>),
    /// `*`: any text.
    Star,
    /// `?`: one character.
    One,
    Variable(Box<Variable>),
}

/// What a piece stands for once variables have their values.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Text(&'a str),
    Star,
    One,
}

/// How a pattern's text is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(super) wildcards: bool,
    /// `${…}` is a variable.
    pub(super) variables: bool,
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    pieces: Box<[Piece]>,
    has_variables: bool,
}

impl Pattern {
    pub(super) fn compile(text: &str, syntax: Syntax) -> Result<Self, &'static str> {
        if text.len() > MAX_PATTERN {
            return Err("is longer than any pattern that AWS takes");
        }
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut has_variables = false;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let variable = if syntax.variables {
                rest.strip_prefix("${")
            } else {
                None
            };
            if let Some(inside) = variable {
                let end = inside
                    .find('}')
                    .ok_or("has a variable without its closing brace")?;
                let (name, after) = inside.split_at(end);
                rest = after.get(1..).unwrap_or_default();
                match name {
                    "*" | "?" | "$" => literal.push_str(name),
                    _ => {
                        flush(&mut literal, &mut pieces);
                        pieces.push(Piece::Variable(Box::new(read_variable(name)?)));
                        has_variables = true;
                    }
                }
                continue;
            }
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
            match character {
                '*' if syntax.wildcards => {
                    flush(&mut literal, &mut pieces);
                    if pieces.last() != Some(&Piece::Star) {
                        pieces.push(Piece::Star);
                    }
                }
                '?' if syntax.wildcards => {
                    flush(&mut literal, &mut pieces);
                    pieces.push(Piece::One);
                }
                _ => literal.push(character),
            }
        }
        flush(&mut literal, &mut pieces);
        Ok(Self {
            pieces: pieces.into(),
            has_variables,
        })
    }

    /// A pattern that covers everything.
    pub(super) fn everything() -> Self {
        Self {
            pieces: Box::new([Piece::Star]),
            has_variables: false,
        }
    }

    /// Patterns one after the other with colons between.
    pub(super) fn joined(patterns: &[Pattern]) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            if index > 0 {
                pieces.push(Piece::Text(":".into()));
            }
            pieces.extend_from_slice(&pattern.pieces);
        }
        let has_variables = patterns.iter().any(|pattern| pattern.has_variables);
        Self {
            pieces: pieces.into(),
            has_variables,
        }
    }

    /// The variables that it holds.
    pub(super) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => Some(&**variable),
            _ => None,
        })
    }

    /// The text that everything it covers begins with, and whether it covers that text alone.
    pub(super) fn literal_start(&self) -> (&str, bool) {
        match &*self.pieces {
            [] => ("", true),
            [Piece::Text(text)] => (text, true),
            [Piece::Text(text), ..] => (text, false),
            _ => ("", false),
        }
    }

    pub(super) fn is_everything(&self) -> bool {
        *self.pieces == [Piece::Star]
    }

    /// Whether it covers a text without regard to what is known of variables: for patterns that
    /// have none.
    pub(super) fn covers_text(&self, text: &str) -> bool {
        let part = |index: usize| match self.pieces.get(index)? {
            Piece::Text(text) => Some(Part::Text(text)),
            Piece::Star => Some(Part::Star),
            Piece::One => Some(Part::One),
            Piece::Variable(_) => None,
        };
        !self.has_variables && matches(self.pieces.len(), part, text)
    }

    /// Whether it covers a text. A variable without a value and without a default covers nothing.
    /// Variables whose value is not known are handed to `unknown` where the answer hangs on them.
    pub(super) fn covers(
        &self,
        text: &str,
        keys: &Keys<'_>,
        unknown: &mut dyn FnMut(&Variable),
    ) -> Tri {
        if !self.has_variables {
            return self.covers_text(text).into();
        }
        let values = self.values(keys);
        let Some((parts, certain)) = self.parts(&values) else {
            return Tri::No;
        };
        if !matches(parts.len(), |index| parts.get(index).copied(), text) {
            return Tri::No;
        }
        if certain {
            return Tri::Yes;
        }
        self.report(&values, unknown);
        Tri::Maybe
    }

    /// The text that it stands for, where it has no wildcards: `Ok(None)` where a variable has no
    /// value, `Err` where a value is not known.
    pub(super) fn text(
        &self,
        keys: &Keys<'_>,
        unknown: &mut dyn FnMut(&Variable),
    ) -> Result<Option<String>, ()> {
        let values = self.values(keys);
        let Some((parts, certain)) = self.parts(&values) else {
            return Ok(None);
        };
        if !certain {
            self.report(&values, unknown);
            return Err(());
        }
        let text = parts.iter().map(|part| {
            if let Part::Text(text) = part {
                text
            } else {
                ""
            }
        });
        Ok(Some(text.collect()))
    }

    /// Whether some text is covered by both patterns.
    pub(super) fn overlaps(
        &self,
        other: &Pattern,
        keys: &Keys<'_>,
        unknown: &mut dyn FnMut(&Variable),
    ) -> Tri {
        if self.is_everything() || (other.is_everything() && !self.has_variables) {
            return Tri::Yes;
        }
        if let Some(answer) = self.meets_at_start(other) {
            return answer.into();
        }
        let (mine, theirs) = (self.values(keys), other.values(keys));
        let (Some((left, certain)), Some((right, _))) = (self.parts(&mine), other.parts(&theirs))
        else {
            return Tri::No;
        };
        if !meet(&symbols(&left), &symbols(&right), Meeting::Overlap) {
            return Tri::No;
        }
        if certain {
            return Tri::Yes;
        }
        self.report(&mine, unknown);
        Tri::Maybe
    }

    /// Whether some text is covered by both patterns, where what they begin with tells.
    fn meets_at_start(&self, other: &Pattern) -> Option<bool> {
        let ((mine, mine_is_all), (theirs, theirs_is_all)) =
            (self.literal_start(), other.literal_start());
        let apart = match mine.len().cmp(&theirs.len()) {
            Ordering::Less => mine_is_all || !theirs.starts_with(mine),
            Ordering::Equal => mine != theirs,
            Ordering::Greater => theirs_is_all || !mine.starts_with(theirs),
        };
        (apart || (mine_is_all && theirs_is_all)).then_some(!apart)
    }

    /// Whether every text that the other covers is covered by this one. Sure when it says so;
    /// patterns with `?` beside `*`, or with variables not known, may be missed.
    pub(super) fn contains(&self, other: &Pattern, keys: &Keys<'_>) -> bool {
        if self.is_everything() {
            return true;
        }
        let (mine, theirs) = (self.values(keys), other.values(keys));
        match (self.parts(&mine), other.parts(&theirs)) {
            // An unknown variable stands as `*`, which may only be on the narrower side.
            (Some((left, true)), Some((right, _))) => {
                meet(&symbols(&left), &symbols(&right), Meeting::Contains)
            }
            (_, None) => true,
            _ => false,
        }
    }

    /// The value of each variable, in order of the pieces.
    fn values<'k>(&self, keys: &'k Keys<'_>) -> Vec<Known<'k>> {
        if !self.has_variables {
            return Vec::new();
        }
        let value = |piece: &Piece| match piece {
            Piece::Variable(variable) => Some(keys.get(&variable.lower_case_key)),
            _ => None,
        };
        self.pieces.iter().filter_map(value).collect()
    }

    /// The parts, and whether all variables are known; `None` where one has no value.
    fn parts<'a>(&'a self, values: &'a [Known<'_>]) -> Option<(Vec<Part<'a>>, bool)> {
        let mut values = values.iter();
        let mut certain = true;
        let mut parts = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            parts.push(match piece {
                Piece::Text(text) => Part::Text(text),
                Piece::Star => Part::Star,
                Piece::One => Part::One,
                Piece::Variable(variable) => match values.next()? {
                    Known::One(value) => Part::Text(value),
                    // Keys of several values cannot stand as variables.
                    Known::Many([value]) => Part::Text(value),
                    Known::Many(_) | Known::Absent => Part::Text(variable.default.as_deref()?),
                    Known::Unknown => {
                        certain = false;
                        Part::Star
                    }
                },
            });
        }
        Some((parts, certain))
    }

    fn report(&self, values: &[Known<'_>], unknown: &mut dyn FnMut(&Variable)) {
        for (variable, value) in self.variables().zip(values) {
            if matches!(value, Known::Unknown) {
                unknown(variable);
            }
        }
    }
}

fn flush(literal: &mut String, pieces: &mut Vec<Piece>) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(std::mem::take(literal).into()));
    }
}

fn read_variable(name: &str) -> Result<Variable, &'static str> {
    let (key, default) = match name.split_once(',') {
        Some((key, default)) => {
            let quoted = default
                .trim()
                .strip_prefix('\'')
                .and_then(|text| text.strip_suffix('\''));
            (
                key,
                Some(quoted.ok_or("has a variable whose default is not in single quotes")?),
            )
        }
        None => (name, None),
    };
    let key = key.trim();
    if key.is_empty() {
        return Err("has a variable without a name");
    }
    Ok(Variable {
        key: key.into(),
        lower_case_key: key.to_ascii_lowercase().into(),
        default: default.map(Into::into),
    })
}

/// Matches from left to right. On a mismatch only the last `*` takes more: what was matched before
/// it was matched at the earliest place, and no later place can do better. A `*` goes on to where
/// the text after it stands, so that without `?` the time is linear in the text.
fn matches<'a>(count: usize, part: impl Fn(usize) -> Option<Part<'a>>, text: &str) -> bool {
    /// The earliest place at which what follows a star may begin.
    fn next<'t>(after: Option<Part<'_>>, from: &'t str) -> Option<&'t str> {
        match after {
            Some(Part::Text(literal)) => from.get(from.find(literal)?..),
            _ => Some(from),
        }
    }
    let mut index = 0;
    let mut rest = text;
    let mut last_star: Option<(usize, &str)> = None;
    loop {
        let step = match part(index) {
            Some(Part::Star) => {
                if index + 1 == count {
                    return true;
                }
                let after = part(index + 1);
                if index + 2 == count
                    && let Some(Part::Text(literal)) = after
                {
                    return rest.ends_with(literal);
                }
                let Some(from) = next(after, rest) else {
                    return false;
                };
                last_star = Some((index, from));
                Some(from)
            }
            Some(Part::Text(literal)) => rest.strip_prefix(literal),
            Some(Part::One) => {
                let mut characters = rest.chars();
                characters.next().map(|_| characters.as_str())
            }
            None if index >= count && rest.is_empty() => return true,
            None => None,
        };
        if let Some(after) = step {
            rest = after;
            index += 1;
            continue;
        }
        let Some((star, from)) = last_star else {
            return false;
        };
        let mut characters = from.chars();
        if characters.next().is_none() {
            return false;
        }
        let Some(from) = next(part(star + 1), characters.as_str()) else {
            return false;
        };
        rest = from;
        last_star = Some((star, rest));
        index = star + 1;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Character(char),
    One,
    Star,
}

fn symbols(parts: &[Part<'_>]) -> Vec<Symbol> {
    let mut symbols = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => symbols.extend(text.chars().map(Symbol::Character)),
            Part::One => symbols.push(Symbol::One),
            Part::Star => symbols.push(Symbol::Star),
        }
    }
    symbols
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meeting {
    /// Some text is in both.
    Overlap,
    /// Each text of the right is in the left. The right's symbols are read as if they were text,
    /// its `*` being a character that only the left's `*` takes.
    Contains,
}

/// One row a symbol of `left`: `row[j]` says whether what is left of both heads can meet.
fn meet(left: &[Symbol], right: &[Symbol], meeting: Meeting) -> bool {
    let overlap = meeting == Meeting::Overlap;
    let mut row = vec![false; right.len() + 1];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    let skip_right = |row: &mut [bool]| {
        for (index, symbol) in right.iter().enumerate() {
            if overlap
                && *symbol == Symbol::Star
                && row.get(index).copied().unwrap_or(false)
                && let Some(next) = row.get_mut(index + 1)
            {
                *next = true;
            }
        }
    };
    skip_right(&mut row);
    for mine in left {
        let mut next = vec![false; right.len() + 1];
        let at = |row: &[bool], index: usize| row.get(index).copied().unwrap_or(false);
        if *mine == Symbol::Star {
            // It takes nothing, or any number of the right's symbols.
            let mut open = false;
            for (index, slot) in next.iter_mut().enumerate() {
                open |= at(&row, index);
                *slot = open;
            }
        } else {
            for (index, theirs) in right.iter().enumerate() {
                let pair = match (mine, theirs) {
                    (Symbol::Character(one), Symbol::Character(other)) => one == other,
                    (Symbol::One, Symbol::Character(_) | Symbol::One) => true,
                    (Symbol::Character(_), Symbol::One) => overlap,
                    (_, Symbol::Star) => false,
                    (Symbol::Star, _) => true,
                };
                if pair
                    && at(&row, index)
                    && let Some(slot) = next.get_mut(index + 1)
                {
                    *slot = true;
                }
                // The right's `*` takes this symbol and stays.
                if overlap
                    && *theirs == Symbol::Star
                    && at(&row, index + 1)
                    && let Some(slot) = next.get_mut(index + 1)
                {
                    *slot = true;
                }
            }
            skip_right(&mut next);
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Pattern {
        Pattern::compile(
            text,
            Syntax {
                wildcards: true,
                variables: false,
            },
        )
        .unwrap()
    }

    #[test]
    fn wildcards_cover_what_they_say() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("a*", "a", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("?", "é", true),
            ("*aab", "aaaaab", true),
            ("*a?b*", "xxaxbxx", true),
            ("*a?b", "axbaxxb", false),
            ("", "", true),
            ("", "a", false),
            ("a**b", "ab", true),
            ("*a*?b", "aab", true),
            ("*a*?b", "ab", false),
            ("*é?*x", "aéaéx", true),
            ("*é?*x", "aéx", false),
            ("a*a", "a", false),
            ("*ab?ab", "abxababyab", true),
        ] {
            assert_eq!(
                glob(pattern).covers_text(text),
                expected,
                "{pattern} on {text}"
            );
        }
    }

    #[test]
    fn overlap_and_containment() {
        let keys = Keys::empty();
        for (left, right, overlap, contains) in [
            ("a*", "*b", true, false),
            ("a*", "b*", false, false),
            ("a*", "ab*", true, true),
            ("*", "ab*", true, true),
            ("a?c", "abc", true, true),
            ("a?c", "a*c", true, false),
            ("a*c", "a?c", true, true),
            ("abc", "abc", true, true),
            ("a*b*c", "axbxc", true, true),
            ("a", "a*", true, false),
            ("*x", "*y", false, false),
        ] {
            let (one, other) = (glob(left), glob(right));
            let mut none = |_: &Variable| {};
            assert_eq!(
                one.overlaps(&other, &keys, &mut none) == Tri::Yes,
                overlap,
                "{left} {right}"
            );
            assert_eq!(
                other.overlaps(&one, &keys, &mut none) == Tri::Yes,
                overlap,
                "{right} {left}"
            );
            assert_eq!(
                one.contains(&other, &keys),
                contains,
                "{left} contains {right}"
            );
        }
    }

    #[test]
    fn variables_are_read_with_defaults_and_escapes() {
        let syntax = Syntax {
            wildcards: true,
            variables: true,
        };
        let pattern = Pattern::compile("${*}x${?}${$}*", syntax).unwrap();
        assert!(pattern.covers_text("*x?$anything"));
        assert!(!pattern.covers_text("yx?$"));
        assert!(Pattern::compile("${aws:username", syntax).is_err());
        assert!(Pattern::compile("${aws:username, none}", syntax).is_err());
        let pattern = Pattern::compile("home/${aws:username, 'guest'}/*", syntax).unwrap();
        let mut asked = Vec::new();
        let covered = pattern.covers("home/guest/a", &Keys::empty(), &mut |variable| {
            asked.push(variable.key.clone())
        });
        assert_eq!((covered, asked.len()), (Tri::Yes, 0));
    }
}
