use std::collections::BTreeSet;

use portreeve_graph::JewelKind;
use portreeve_model::Technique;
use saphyr::{LoadableYamlNode, MarkedYaml, YamlData};
use saphyr_parser::{Event, Marker, Parser};

use crate::race::Pace;

use super::{
    Ended, LogNeed, Measure, Profile, ProfileError, ProfileStep, Reference, Sign, Stage, Trait,
};

/// A profile is a few pages of text; one that is larger or deeper is none.
const MAX_BYTES: usize = 256 * 1024;
const MAX_DEPTH: usize = 16;

/// The greatest weight: likeness has 100 points.
const MAX_WEIGHT: u32 = 100;

type Fault = (Marker, String);
type Node<'t> = MarkedYaml<'t>;

/// Reads one file.
pub(super) fn profile(name: &str, text: &str) -> Result<Profile, ProfileError> {
    read(name, text).map_err(|(marker, reason)| ProfileError {
        file: name.to_owned(),
        line: marker.line().max(1),
        column: marker.col() + 1,
        reason,
    })
}

fn read(name: &str, text: &str) -> Result<Profile, Fault> {
    let start = Marker::new(0, 1, 0);
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let id = base
        .strip_suffix(".yml")
        .or_else(|| base.strip_suffix(".yaml"))
        .unwrap_or(base);
    if id.is_empty() {
        return Err((start, "the file has no name to take the id from".to_owned()));
    }
    if text.len() > MAX_BYTES {
        return Err((start, format!("the file is larger than {MAX_BYTES} bytes")));
    }
    check_shape(text)?;
    let documents = Node::load_from_str(text)
        .map_err(|error| (start, format!("not readable as YAML: {error}")))?;
    let [document] = documents.as_slice() else {
        return Err((start, "the file must hold one YAML document".to_owned()));
    };
    let fields = Fields::of(document)?;
    fields.only(&[
        "title",
        "description",
        "aliases",
        "references",
        "pace",
        "steps",
        "traits",
        "unlike",
    ])?;
    let references = sequence(fields.node("references")?)?
        .iter()
        .map(reference)
        .collect::<Result<Vec<_>, _>>()?;
    if references.is_empty() {
        return Err((fields.at, "at least one reference is needed".to_owned()));
    }
    let mut ids = BTreeSet::new();
    let mut steps = Vec::new();
    for node in sequence(fields.node("steps")?)? {
        steps.push(step(node, &mut ids)?);
    }
    if steps.is_empty() {
        return Err((fields.at, "a profile has steps".to_owned()));
    }
    let mut habits = |name: &str| -> Result<Vec<Trait>, Fault> {
        match fields.optional_node(name) {
            None => Ok(Vec::new()),
            Some(list) => sequence(list)?
                .iter()
                .map(|node| habit(node, &mut ids))
                .collect(),
        }
    };
    Ok(Profile {
        id: id.to_owned(),
        title: fields.text("title")?.1.trim().to_owned(),
        description: fields.text("description")?.1.trim().to_owned(),
        aliases: owned(fields.optional_texts("aliases")?),
        references,
        pace: fields.optional_node("pace").map(pace).transpose()?,
        steps,
        traits: habits("traits")?,
        unlike: habits("unlike")?,
    })
}

fn owned(texts: Vec<(Marker, &str)>) -> Vec<String> {
    texts.into_iter().map(|(_, text)| text.to_owned()).collect()
}

fn reference(node: &Node<'_>) -> Result<Reference, Fault> {
    let fields = Fields::of(node)?;
    fields.only(&["title", "link"])?;
    let (marker, link) = fields.text("link")?;
    if !link.starts_with("https://") {
        return Err((marker, format!("`{link}` is not an https address")));
    }
    Ok(Reference {
        title: fields.text("title")?.1.to_owned(),
        link: link.to_owned(),
    })
}

fn pace(node: &Node<'_>) -> Result<Pace, Fault> {
    let fields = Fields::of(node)?;
    fields.only(&["seconds_a_call", "basis"])?;
    match fields.number("seconds_a_call")? {
        Some((_, seconds)) if (1..=86_400).contains(&seconds) => Ok(Pace {
            seconds_a_call: seconds,
            basis: fields.text("basis")?.1.trim().to_owned(),
        }),
        Some((marker, _)) => Err((marker, "from 1 to 86400 seconds a call".to_owned())),
        None => Err((fields.at, "`seconds_a_call` is missing".to_owned())),
    }
}

fn step(node: &Node<'_>, ids: &mut BTreeSet<String>) -> Result<ProfileStep, Fault> {
    let fields = Fields::of(node)?;
    fields.only(&[
        "id",
        "title",
        "stage",
        "weight",
        "techniques",
        "basis",
        "shows",
        "logs",
    ])?;
    let stage = match fields.text("stage")? {
        (_, "leading") => Stage::Leading,
        (_, "following") => Stage::Following,
        (marker, other) => {
            let reason = format!("`{other}` is neither leading nor following");
            return Err((marker, reason));
        }
    };
    let shows = match fields.optional_node("shows") {
        None => Vec::new(),
        Some(list) => sequence(list)?
            .iter()
            .map(|node| {
                let fields = Fields::of(node)?;
                fields.only(SIGN)?;
                sign(&fields)
            })
            .collect::<Result<_, _>>()?,
    };
    let logs = sequence(fields.node("logs")?)?
        .iter()
        .map(log_need)
        .collect::<Result<Vec<_>, _>>()?;
    if logs.is_empty() {
        return Err((fields.at, "a step names the logs that show it".to_owned()));
    }
    Ok(ProfileStep {
        id: id(&fields, ids)?,
        title: fields.text("title")?.1.to_owned(),
        stage,
        weight: weight(&fields)?,
        techniques: fields
            .texts("techniques")?
            .into_iter()
            .map(|(marker, text)| {
                Technique::new(text)
                    .ok_or_else(|| (marker, format!("`{text}` is not an ATT&CK id")))
            })
            .collect::<Result<_, _>>()?,
        basis: fields.text("basis")?.1.to_owned(),
        shows,
        logs,
    })
}

fn habit(node: &Node<'_>, ids: &mut BTreeSet<String>) -> Result<Trait, Fault> {
    let fields = Fields::of(node)?;
    let own = ["id", "title", "weight", "techniques", "basis"];
    fields.only(&[&own, SIGN].concat())?;
    Ok(Trait {
        id: id(&fields, ids)?,
        title: fields.text("title")?.1.to_owned(),
        weight: weight(&fields)?,
        basis: fields.text("basis")?.1.to_owned(),
        sign: sign(&fields)?,
    })
}

fn id(fields: &Fields<'_, '_>, ids: &mut BTreeSet<String>) -> Result<String, Fault> {
    let (marker, id) = fields.text("id")?;
    if !ids.insert(id.to_owned()) {
        return Err((marker, format!("the id `{id}` is used twice")));
    }
    Ok(id.to_owned())
}

fn weight(fields: &Fields<'_, '_>) -> Result<u32, Fault> {
    match fields.number("weight")? {
        Some((_, weight)) if (1..=u64::from(MAX_WEIGHT)).contains(&weight) => Ok(weight as u32),
        Some((marker, _)) => Err((marker, format!("a weight is from 1 to {MAX_WEIGHT}"))),
        None => Err((fields.at, "`weight` is missing".to_owned())),
    }
}

/// The fields of a sign.
const SIGN: &[&str] = &[
    "actions",
    "outcome",
    "on",
    "at least",
    "distinct",
    "distinct targets",
    "measure",
];

fn sign(fields: &Fields<'_, '_>) -> Result<Sign, Fault> {
    let actions = fields.optional_texts("actions")?;
    if let Some((marker, action)) = actions.iter().find(|(_, action)| !action.contains(':')) {
        let reason = format!("`{action}` is not an action of the form `service:Operation`");
        return Err((*marker, reason));
    }
    let measure = fields
        .optional_text("measure")?
        .map(|(marker, name)| {
            Measure::named(name).ok_or_else(|| {
                let known: Vec<&str> = Measure::ALL.iter().map(|it| it.as_str()).collect();
                (marker, format!("`{name}` is none of {}", known.join(", ")))
            })
        })
        .transpose()?;
    if actions.is_empty() && measure.is_none_or(Measure::only_narrows) {
        return Err((
            fields.at,
            "`actions`, or a `measure` that stands by itself, is missing".to_owned(),
        ));
    }
    let outcome = match fields.optional_text("outcome")? {
        None => None,
        Some((_, "done")) => Some(Ended::Done),
        Some((_, "denied")) => Some(Ended::Denied),
        Some((marker, other)) => {
            return Err((marker, format!("`{other}` is neither done nor denied")));
        }
    };
    Ok(Sign {
        actions: owned(actions),
        outcome,
        on: fields
            .optional_texts("on")?
            .into_iter()
            .map(|(marker, word)| jewel(marker, word))
            .collect::<Result<_, _>>()?,
        at_least: fields.number("at least")?.map_or(1, |(_, least)| least),
        distinct: fields.flag("distinct")?,
        distinct_targets: fields.flag("distinct targets")?,
        measure,
    })
}

fn jewel(marker: Marker, word: &str) -> Result<JewelKind, Fault> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|_| (marker, format!("`{word}` is not a kind of crown jewel")))
}

fn log_need(node: &Node<'_>) -> Result<LogNeed, Fault> {
    let fields = Fields::of(node)?;
    fields.only(&[
        "source",
        "kind",
        "services",
        "what",
        "global",
        "everywhere",
        "reads",
        "jewel",
    ])?;
    Ok(LogNeed {
        source: fields.text("source")?.1.to_owned(),
        kind: fields
            .optional_text("kind")?
            .map(|(_, kind)| kind.to_owned()),
        services: owned(fields.optional_texts("services")?),
        what: fields.text("what")?.1.to_owned(),
        global: fields.flag("global")?,
        everywhere: fields.flag("everywhere")?,
        reads: fields.flag("reads")?,
        jewel: fields
            .optional_text("jewel")?
            .map(|(marker, word)| jewel(marker, word))
            .transpose()?,
    })
}

/// Refuses a document that is nested deeper than any profile is, before a tree is made of it.
fn check_shape(text: &str) -> Result<(), Fault> {
    let mut depth = 0usize;
    for event in Parser::new_from_str(text) {
        match event {
            Err(error) => return Err((*error.marker(), error.info().to_owned())),
            Ok((Event::SequenceStart(..) | Event::MappingStart(..), span)) => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err((span.start, "nested too deeply".to_owned()));
                }
            }
            Ok((Event::SequenceEnd | Event::MappingEnd, _)) => depth = depth.saturating_sub(1),
            Ok((Event::Alias(_), span)) => {
                return Err((span.start, "aliases are not used here".to_owned()));
            }
            Ok(_) => {}
        }
    }
    Ok(())
}

fn text<'n>(node: &'n Node<'_>) -> Result<&'n str, Fault> {
    node.data
        .as_str()
        .ok_or_else(|| (node.span.start, "text is expected here".to_owned()))
}

fn sequence<'n, 't>(node: &'n Node<'t>) -> Result<&'n [Node<'t>], Fault> {
    match &node.data {
        YamlData::Sequence(list) => Ok(list),
        _ => Err((node.span.start, "a list is expected here".to_owned())),
    }
}

/// The fields of a mapping.
struct Fields<'n, 't> {
    at: Marker,
    fields: Vec<(&'n Node<'t>, &'n str, &'n Node<'t>)>,
}

impl<'n, 't> Fields<'n, 't> {
    fn of(node: &'n Node<'t>) -> Result<Self, Fault> {
        let YamlData::Mapping(mapping) = &node.data else {
            return Err((node.span.start, "a mapping is expected here".to_owned()));
        };
        let fields = mapping
            .iter()
            .map(|(key, value)| Ok((key, text(key)?, value)))
            .collect::<Result<_, Fault>>()?;
        Ok(Self {
            at: node.span.start,
            fields,
        })
    }

    fn only(&self, known: &[&str]) -> Result<(), Fault> {
        match self
            .fields
            .iter()
            .find(|(_, name, _)| !known.contains(name))
        {
            None => Ok(()),
            Some((key, name, _)) => Err((
                key.span.start,
                format!("`{name}` is not known here; known are {}", known.join(", ")),
            )),
        }
    }

    fn optional_node(&self, wanted: &str) -> Option<&'n Node<'t>> {
        self.fields
            .iter()
            .find(|(_, name, _)| *name == wanted)
            .map(|(_, _, node)| *node)
    }

    fn node(&self, wanted: &str) -> Result<&'n Node<'t>, Fault> {
        self.optional_node(wanted)
            .ok_or_else(|| (self.at, format!("`{wanted}` is missing")))
    }

    fn text(&self, wanted: &str) -> Result<(Marker, &'n str), Fault> {
        let node = self.node(wanted)?;
        Ok((node.span.start, text(node)?))
    }

    fn optional_text(&self, wanted: &str) -> Result<Option<(Marker, &'n str)>, Fault> {
        self.optional_node(wanted)
            .map(|node| Ok((node.span.start, text(node)?)))
            .transpose()
    }

    fn texts(&self, wanted: &str) -> Result<Vec<(Marker, &'n str)>, Fault> {
        sequence(self.node(wanted)?)?
            .iter()
            .map(|node| Ok((node.span.start, text(node)?)))
            .collect()
    }

    fn optional_texts(&self, wanted: &str) -> Result<Vec<(Marker, &'n str)>, Fault> {
        match self.optional_node(wanted) {
            None => Ok(Vec::new()),
            Some(_) => self.texts(wanted),
        }
    }

    fn number(&self, wanted: &str) -> Result<Option<(Marker, u64)>, Fault> {
        self.optional_node(wanted)
            .map(|node| {
                let number = node.data.as_integer().and_then(|it| u64::try_from(it).ok());
                match number {
                    Some(number) => Ok((node.span.start, number)),
                    None => Err((node.span.start, "a number is expected here".to_owned())),
                }
            })
            .transpose()
    }

    fn flag(&self, wanted: &str) -> Result<bool, Fault> {
        match self.optional_node(wanted) {
            None => Ok(false),
            Some(node) => node
                .data
                .as_bool()
                .ok_or_else(|| (node.span.start, "true or false is expected here".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
title: A test
description: Walks through tests.
references: [{title: A report, link: https://example.com/report}]
pace: {seconds_a_call: 60, basis: one case}
steps:
  - id: replay
    title: a session is used from elsewhere
    stage: leading
    weight: 14
    techniques: [T1550.001]
    basis: one case
    shows:
      - actions: ['sts:Get*']
        at least: 2
    logs:
      - {source: aws.cloudtrail, kind: Management, what: every call}
unlike:
  - {id: haste, title: hurries, weight: 3, basis: none, measure: haste}
";

    #[test]
    fn a_good_profile_is_read() {
        let profile = profile("actors/test.yml", GOOD).unwrap();
        assert_eq!((&*profile.id, &*profile.title), ("test", "A test"));
        assert_eq!(profile.pace.unwrap().seconds_a_call, 60);
        assert_eq!(profile.steps[0].shows[0].at_least, 2);
        assert_eq!(profile.unlike[0].sign.measure, Some(Measure::Haste));
    }

    #[test]
    fn faults_have_their_place() {
        let fault = |from: &str, to: &str| {
            let error = profile("x.yml", &GOOD.replace(from, to)).unwrap_err();
            (error.line, error.reason)
        };
        assert_eq!(fault("T1550.001", "T1").0, 10);
        assert_eq!(fault("seconds_a_call: 60", "seconds_a_call: 0").0, 4);
        assert_eq!(fault("weight: 14", "weight: 0").0, 9);
        assert_eq!(fault("weight: 14", "weight: many").0, 9);
        assert_eq!(fault("stage: leading", "stage: late").0, 8);
        assert_eq!(fault("'sts:Get*'", "'Get'").0, 13);
        assert_eq!(fault("measure: haste", "measure: mood").0, 18);
        assert_eq!(fault("https:", "http:").0, 3);
        assert!(fault("id: haste", "id: replay").1.contains("twice"));
        assert!(fault("at least", "atleast").1.contains("atleast"));
        assert!(fault("title: A test\n", "").1.contains("title"));
        for bad in ["", "[", "a: &x 1\nb: *x"] {
            assert!(profile("x.yml", bad).is_err());
        }
        assert!(profile("x.yml", &"[".repeat(50_000)).is_err());
        assert!(profile("x.yml", &"- ".repeat(50_000)).is_err());
    }
}
