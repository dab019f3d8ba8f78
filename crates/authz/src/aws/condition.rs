//! Conditions: operators, their values, and what they come to where keys are not known.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use jiff::civil::Date;

use super::arn::{ArnParts, ArnPattern, Missing};
use super::keys::{Keys, Known};
use super::pattern::{Pattern, Syntax, Tri, Variable};

/// Over how many of a request's values a test must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// No set operator: the key has one value.
    Single,
    ForAllValues,
    ForAnyValue,
}

/// A comparison by order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equals,
    LessThan,
    LessThanEquals,
    GreaterThan,
    GreaterThanEquals,
}

impl Order {
    fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Order::Equals => ordering.is_eq(),
            Order::LessThan => ordering.is_lt(),
            Order::LessThanEquals => ordering.is_le(),
            Order::GreaterThan => ordering.is_gt(),
            Order::GreaterThanEquals => ordering.is_ge(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    Numeric(Order),
    Date(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

/// A condition operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    family: Family,
    negated: bool,
    if_exists: bool,
    quantifier: Quantifier,
}

impl Operator {
    /// Reads an operator's name, as `ForAnyValue:StringNotLikeIfExists`.
    pub(super) fn read(name: &str) -> Result<Self, &'static str> {
        const UNKNOWN: &str = "is no condition operator";
        let lower = name.to_ascii_lowercase();
        let (quantifier, rest) = match lower.split_once(':') {
            Some(("forallvalues", rest)) => (Quantifier::ForAllValues, rest),
            Some(("foranyvalue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(_) => return Err(UNKNOWN),
            None => (Quantifier::Single, lower.as_str()),
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (family, negated) = match base {
            "stringequals" => (Family::StringEquals, false),
            "stringnotequals" => (Family::StringEquals, true),
            "stringequalsignorecase" => (Family::StringEqualsIgnoreCase, false),
            "stringnotequalsignorecase" => (Family::StringEqualsIgnoreCase, true),
            "stringlike" => (Family::StringLike, false),
            "stringnotlike" => (Family::StringLike, true),
            "numericequals" => (Family::Numeric(Order::Equals), false),
            "numericnotequals" => (Family::Numeric(Order::Equals), true),
            "numericlessthan" => (Family::Numeric(Order::LessThan), false),
            "numericlessthanequals" => (Family::Numeric(Order::LessThanEquals), false),
            "numericgreaterthan" => (Family::Numeric(Order::GreaterThan), false),
            "numericgreaterthanequals" => (Family::Numeric(Order::GreaterThanEquals), false),
            "dateequals" => (Family::Date(Order::Equals), false),
            "datenotequals" => (Family::Date(Order::Equals), true),
            "datelessthan" => (Family::Date(Order::LessThan), false),
            "datelessthanequals" => (Family::Date(Order::LessThanEquals), false),
            "dategreaterthan" => (Family::Date(Order::GreaterThan), false),
            "dategreaterthanequals" => (Family::Date(Order::GreaterThanEquals), false),
            "bool" => (Family::Bool, false),
            "binaryequals" => (Family::Binary, false),
            "ipaddress" => (Family::Address, false),
            "notipaddress" => (Family::Address, true),
            // AWS gives `ArnEquals` and `ArnLike` the same meaning.
            "arnequals" | "arnlike" => (Family::Arn, false),
            "arnnotequals" | "arnnotlike" => (Family::Arn, true),
            "null" if if_exists => return Err("cannot be combined with `IfExists`"),
            "null" if quantifier != Quantifier::Single => {
                return Err("cannot be combined with a set operator");
            }
            "null" => (Family::Null, false),
            _ => return Err(UNKNOWN),
        };
        Ok(Self {
            family,
            negated,
            if_exists,
            quantifier,
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    Patterns(Box<[Pattern]>),
    Numbers(Box<[Number]>),
    Dates(Box<[Timestamp]>),
    Truths(Box<[bool]>),
    Binaries(Box<[Box<str>]>),
    Networks(Box<[IpNet]>),
    Arns(Box<[ArnPattern]>),
}

/// One operator on one key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Condition {
    operator: Operator,
    /// The operator as the policy writes it.
    pub(super) operator_name: Box<str>,
    /// The key as the policy writes it.
    pub(super) key: Box<str>,
    pub(super) lower_case_key: Box<str>,
    /// The values as the policy writes them.
    pub(super) texts: Box<[Box<str>]>,
    values: Values,
}

impl Condition {
    /// Compiles a condition. On failure says which value is at fault.
    pub(super) fn compile(
        operator: Operator,
        operator_name: &str,
        key: &str,
        texts: Vec<String>,
        variables: bool,
    ) -> Result<Self, (usize, &'static str)> {
        fn each<T>(
            texts: &[String],
            read: impl Fn(&str) -> Result<T, &'static str>,
        ) -> Result<Box<[T]>, (usize, &'static str)> {
            let read = |(index, text): (usize, &String)| read(text).map_err(|why| (index, why));
            texts.iter().enumerate().map(read).collect()
        }
        let literal = Syntax {
            wildcards: false,
            variables,
        };
        let wild = Syntax {
            wildcards: true,
            variables,
        };
        let values = match operator.family {
            Family::StringEquals | Family::StringEqualsIgnoreCase => {
                Values::Patterns(each(&texts, |text| Pattern::compile(text, literal))?)
            }
            Family::StringLike => {
                Values::Patterns(each(&texts, |text| Pattern::compile(text, wild))?)
            }
            Family::Numeric(_) => Values::Numbers(each(&texts, |text| {
                Number::read(text).ok_or("is not a number")
            })?),
            Family::Date(_) => Values::Dates(each(&texts, |text| {
                read_date(text).ok_or("is not a date: write it as 2026-01-31T00:00:00Z")
            })?),
            Family::Bool | Family::Null => Values::Truths(each(&texts, |text| {
                read_truth(text).ok_or("is neither true nor false")
            })?),
            Family::Binary => Values::Binaries(each(&texts, |text| {
                if is_base64(text) {
                    Ok(text.into())
                } else {
                    Err("is not base64")
                }
            })?),
            Family::Address => Values::Networks(each(&texts, |text| {
                read_network(text).ok_or("is neither an address nor a network")
            })?),
            Family::Arn => Values::Arns(each(&texts, |text| {
                ArnPattern::compile(text, variables, Missing::Refused)
            })?),
        };
        Ok(Self {
            operator,
            operator_name: operator_name.into(),
            key: key.into(),
            lower_case_key: key.to_ascii_lowercase().into(),
            texts: texts.into_iter().map(Into::into).collect(),
            values,
        })
    }

    /// The keys that it hangs on, in lower case: its own, and those of its variables.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let patterns = match &self.values {
            Values::Patterns(patterns) => &patterns[..],
            _ => &[],
        };
        let arns = match &self.values {
            Values::Arns(arns) => &arns[..],
            _ => &[],
        };
        let variables = patterns
            .iter()
            .flat_map(Pattern::variables)
            .chain(arns.iter().flat_map(ArnPattern::variables));
        std::iter::once(&*self.lower_case_key)
            .chain(variables.map(|variable| &*variable.lower_case_key))
    }

    /// Whether it asks for one of its values and nothing less: neither negated, nor `…IfExists`,
    /// nor a set operator that an absent key meets.
    pub(super) fn is_plain_equality(&self) -> bool {
        let operator = self.operator;
        let equality = matches!(
            operator.family,
            Family::StringEquals
                | Family::StringEqualsIgnoreCase
                | Family::StringLike
                | Family::Address
                | Family::Arn
        );
        equality
            && !operator.negated
            && !operator.if_exists
            && operator.quantifier != Quantifier::ForAllValues
    }

    /// The networks that it asks for, where it compares addresses.
    pub(super) fn networks(&self) -> Option<&[IpNet]> {
        match &self.values {
            Values::Networks(networks) => Some(networks),
            _ => None,
        }
    }

    /// What it comes to. Where the answer hangs on the key itself, `key_unknown` is set; where it
    /// hangs on a variable, `unknown` is told which.
    pub(super) fn test(
        &self,
        keys: &Keys<'_>,
        key_unknown: &mut bool,
        unknown: &mut dyn FnMut(&Variable),
    ) -> Tri {
        let known = keys.get(&self.lower_case_key);
        let one;
        let values: &[Cow<'_, str>] = match &known {
            Known::One(value) => {
                one = [Cow::Borrowed(&**value)];
                &one
            }
            Known::Many(values) => {
                return self.test_many(values, keys, key_unknown, unknown);
            }
            Known::Absent => return self.when_absent(),
            Known::Unknown => {
                *key_unknown = true;
                return Tri::Maybe;
            }
        };
        let [value] = values else { return Tri::No };
        if self.operator.family == Family::Null {
            return self.null(false);
        }
        // "Null data set, such as an empty string": to a set operator it is as if it were absent.
        if value.is_empty() && self.operator.quantifier != Quantifier::Single {
            return self.when_absent();
        }
        self.test_value(value, keys, unknown)
    }

    fn test_many(
        &self,
        values: &[String],
        keys: &Keys<'_>,
        key_unknown: &mut bool,
        unknown: &mut dyn FnMut(&Variable),
    ) -> Tri {
        if values.is_empty() {
            return self.when_absent();
        }
        if self.operator.family == Family::Null {
            return self.null(false);
        }
        let quantified = self.operator.quantifier != Quantifier::Single;
        if quantified && values.iter().all(String::is_empty) {
            return self.when_absent();
        }
        let mut each = values
            .iter()
            .map(|value| self.test_value(value, keys, unknown));
        match self.operator.quantifier {
            Quantifier::ForAllValues => each.min().unwrap_or(Tri::Yes),
            Quantifier::ForAnyValue => each.max().unwrap_or(Tri::No),
            Quantifier::Single if values.len() == 1 => each.next().unwrap_or(Tri::No),
            // AWS asks for a set operator here and does not say what happens without.
            Quantifier::Single => {
                *key_unknown = true;
                Tri::Maybe
            }
        }
    }

    fn when_absent(&self) -> Tri {
        let operator = self.operator;
        if operator.family == Family::Null {
            return self.null(true);
        }
        let holds = match operator.quantifier {
            Quantifier::ForAllValues => true,
            Quantifier::ForAnyValue => operator.if_exists,
            Quantifier::Single => operator.if_exists || operator.negated,
        };
        holds.into()
    }

    fn null(&self, absent: bool) -> Tri {
        let Values::Truths(truths) = &self.values else {
            return Tri::No;
        };
        truths.contains(&absent).into()
    }

    /// Tests one value: any of the policy's values for a plain operator, none for a negated one.
    fn test_value(&self, value: &str, keys: &Keys<'_>, unknown: &mut dyn FnMut(&Variable)) -> Tri {
        let found = match (&self.values, self.operator.family) {
            (Values::Patterns(patterns), Family::StringEqualsIgnoreCase) => {
                let value = value.to_lowercase();
                any(patterns, |pattern| match pattern.text(keys, unknown) {
                    Ok(Some(text)) => (text.to_lowercase() == value).into(),
                    Ok(None) => Tri::No,
                    Err(()) => Tri::Maybe,
                })
            }
            (Values::Patterns(patterns), _) => {
                any(patterns, |pattern| pattern.covers(value, keys, unknown))
            }
            (Values::Numbers(numbers), Family::Numeric(order)) => match Number::read(value) {
                Some(value) => any(numbers, |number| {
                    value
                        .compare(number)
                        .is_some_and(|ordering| order.holds(ordering))
                        .into()
                }),
                None => Tri::No,
            },
            (Values::Dates(dates), Family::Date(order)) => match read_date(value) {
                Some(value) => any(dates, |date| order.holds(value.cmp(date)).into()),
                None => Tri::No,
            },
            (Values::Truths(truths), _) => match read_truth(value) {
                Some(value) => truths.contains(&value).into(),
                None => Tri::No,
            },
            (Values::Binaries(binaries), _) => any(binaries, |binary| (**binary == *value).into()),
            (Values::Networks(networks), _) => match value.parse::<IpAddr>() {
                Ok(address) => any(networks, |network| network.contains(&address).into()),
                Err(_) => Tri::No,
            },
            (Values::Arns(arns), _) => {
                let value_parts = ArnParts::new(value);
                any(arns, |arn| arn.covers(&value_parts, keys, unknown))
            }
            _ => Tri::No,
        };
        if self.operator.negated {
            found.not()
        } else {
            found
        }
    }
}

fn any<T>(items: &[T], mut test: impl FnMut(&T) -> Tri) -> Tri {
    let mut result = Tri::No;
    for item in items {
        result = result.max(test(item));
        if result == Tri::Yes {
            break;
        }
    }
    result
}

/// A number, whole ones exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Number {
    Whole(i128),
    Decimal(f64),
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(whole) = text.parse() {
            return Some(Number::Whole(whole));
        }
        let plain = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
        let decimal: f64 = text.bytes().all(plain).then(|| text.parse().ok())??;
        decimal.is_finite().then_some(Number::Decimal(decimal))
    }

    fn compare(&self, other: &Number) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Number::Whole(one), Number::Whole(other)) => Some(one.cmp(other)),
            _ => self.approximate().partial_cmp(&other.approximate()),
        }
    }

    fn approximate(&self) -> f64 {
        match self {
            Number::Whole(whole) => *whole as f64,
            Number::Decimal(decimal) => *decimal,
        }
    }
}

/// Reads a date in the forms that AWS takes: ISO 8601 down to the year, or seconds since 1970.
fn read_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let midnight = |year: i16, month: i8, day: i8| {
        let date = Date::new(year, month, day).ok()?;
        Some(date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(text) && text.len() != 4 {
        return Timestamp::from_second(text.parse().ok()?).ok();
    }
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next(), parts.next());
    let plain = parts.next().is_none()
        && year.len() == 4
        && [Some(year), month, day].into_iter().flatten().all(digits);
    if !plain {
        return None;
    }
    let number = |part: Option<&str>| part.map_or(Some(1), |part| part.parse().ok());
    midnight(year.parse().ok()?, number(month)?, number(day)?)
}

fn read_truth(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn read_network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len() - body.len() <= 2
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte))
}

/// Whether a text is an IP address.
pub(super) fn is_address(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Whether a text is a date in a form that AWS takes.
pub(super) fn is_date(text: &str) -> bool {
    read_date(text).is_some()
}

/// Whether a text is a number.
pub(super) fn is_number(text: &str) -> bool {
    Number::read(text).is_some()
}

/// Whether a text is true or false.
pub(super) fn is_truth(text: &str) -> bool {
    read_truth(text).is_some()
}
