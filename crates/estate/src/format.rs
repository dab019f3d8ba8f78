//! What an inventory format is, and how a file is told and read.

use std::borrow::Cow;
use std::collections::BTreeSet;

use portreeve_model::{DeadLetter, Estate};

use crate::arn;
use crate::formats::FORMATS;
use crate::json::{self, Json};
use crate::object::Object;
use crate::reader::Reader;

/// How much of a file [`recognise`] looks at.
const HEAD: usize = 64 * 1024;

/// How many levels of wrapping around an export are seen through.
const WRAPPINGS: usize = 3;

/// Members that only logs have: what holds one of them is no inventory, however it is wrapped.
const LOG_MEMBERS: &[&str] = &[
    "eventVersion",
    "eventSource",
    "eventName",
    "userIdentity",
    "CloudTrailEvent",
    "Records",
    "logEvents",
    "detail-type",
    "logGroup",
    "previousDigestSignature",
    "digestS3Bucket",
];

/// An inventory format.
pub trait Format: Sync {
    /// Its id: `aws.account-authorization-details`.
    fn id(&self) -> &'static str;
    /// What it holds, in a few words.
    fn title(&self) -> &'static str;
    /// The read-only command that exports it.
    fn command(&self) -> &'static str;
    /// What cannot be seen without it.
    fn without(&self) -> &'static str;
}

/// Where an estate is expected to have a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Once for each account.
    EachAccount,
    /// Once for the organization.
    Once,
    /// Not missed: it adds to another.
    Optional,
}

/// All that one file in `formats/` declares.
pub(crate) struct FormatFile {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) command: &'static str,
    pub(crate) without: &'static str,
    pub(crate) wanted: Wanted,
    /// Whether an object holds something of this format. One object may hold several formats.
    pub(crate) recognise: fn(&Object<'_>) -> bool,
    /// Reads an object that was recognised.
    pub(crate) read: fn(&Object<'_>, &mut Reader<'_>),
    /// Whether a text that is not JSON is of this format.
    pub(crate) recognise_text: fn(&str) -> bool,
    /// Reads a text that was recognised.
    pub(crate) read_text: fn(&str, &mut Reader<'_>),
    /// Ids of other formats that this one stands for where it is given.
    pub(crate) covers: &'static [&'static str],
}

impl FormatFile {
    /// What a file need not declare.
    pub(crate) const DEFAULT: FormatFile = FormatFile {
        id: "",
        title: "",
        command: "",
        without: "",
        wanted: Wanted::EachAccount,
        recognise: |_| false,
        read: |_, _| {},
        recognise_text: |_| false,
        read_text: |_, _| {},
        covers: &[],
    };
}

impl Format for FormatFile {
    fn id(&self) -> &'static str {
        self.id
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn command(&self) -> &'static str {
        self.command
    }

    fn without(&self) -> &'static str {
        self.without
    }
}

/// All formats, by file name.
pub fn formats() -> impl Iterator<Item = &'static dyn Format> {
    FORMATS.iter().map(|format| *format as &dyn Format)
}

/// The format that a file is of, told by its first 64 KiB. Where it holds several, the first of
/// [`formats`] that it holds.
pub fn recognise(head: &[u8]) -> Option<&'static dyn Format> {
    let head = decode(head.get(..HEAD).unwrap_or(head));
    let text = head.trim_start();
    if !text.starts_with(['{', '[']) {
        let format = FORMATS
            .iter()
            .find(|format| (format.recognise_text)(text))?;
        return Some(*format);
    }
    let mut found = BTreeSet::new();
    // A few documents are enough: what follows in a concatenation was exported the same way.
    for value in json::values(text).take(16) {
        visit(value, "$".to_owned(), 0, &mut |object, _| {
            let before = found.len();
            for (place, format) in FORMATS.iter().enumerate() {
                if (format.recognise)(object) {
                    found.insert(place);
                }
            }
            found.len() > before
        });
        if !found.is_empty() {
            break;
        }
    }
    let first = found.first()?;
    FORMATS.get(*first).map(|format| *format as &dyn Format)
}

/// Reads one file into the estate. What cannot be read is returned; everything else is used.
pub fn read(file: &str, bytes: &[u8], estate: &mut Estate) -> Vec<DeadLetter> {
    let text = decode(bytes);
    let mut reader = Reader::new(file, estate);
    if !text.trim_start().starts_with(['{', '[']) {
        match FORMATS.iter().find(|format| (format.recognise_text)(&text)) {
            Some(format) => {
                (format.read_text)(&text, &mut reader);
                mark(format, &mut reader);
            }
            None => {
                let reason = "is neither JSON nor a CSV that an inventory format has";
                reader.letter(0, "$", reason);
            }
        }
        return reader.into_letters();
    }
    let mut end = 0;
    let mut page = None;
    for (index, value) in json::values(&text).enumerate() {
        let path = if index == 0 {
            "$".to_owned()
        } else {
            format!("${index}")
        };
        end = value.offset + value.text.len();
        page = read_document(value, path, &mut reader).or(page);
    }
    if let Some(Page::More { offset, path }) = page {
        reader.letter(
            offset,
            &path,
            "says that more pages follow, which this file lacks",
        );
    }
    let rest = text.get(end..).unwrap_or_default();
    if !rest.trim().is_empty() {
        let offset = end + rest.len() - rest.trim_start().len();
        reader.letter(offset, "$", "goes on with something that is not JSON");
    }
    reader.into_letters()
}

/// Whether an export says that it is not the last page.
enum Page {
    Last,
    More { offset: usize, path: String },
}

fn page(object: &Object<'_>) -> Page {
    let truncated = object.get("IsTruncated").map(|flag| flag.text == "true");
    let token = ["NextToken", "nextToken"]
        .iter()
        .any(|name| object.get(name).is_some());
    if truncated.unwrap_or(token) {
        let path = object.path.clone();
        let offset = object.json.offset;
        Page::More { offset, path }
    } else {
        Page::Last
    }
}

/// Reads one document; whether the last export in it says that there is more.
fn read_document(value: Json<'_>, path: String, reader: &mut Reader<'_>) -> Option<Page> {
    let mut last = None;
    let defect = value.defect();
    reader.suspicious = defect.is_some();
    let letters = reader.letters();
    let mut recognised = false;
    let mut keys = BTreeSet::new();
    visit(value, path.clone(), 0, &mut |object, hint| {
        let mut taken = false;
        for format in FORMATS.iter() {
            if (format.recognise)(object) {
                taken = true;
                reader.account = hint.account.clone();
                reader.region = hint.region.clone();
                if let Some(account) = &hint.account {
                    reader.known_account(account);
                }
                (format.read)(object, reader);
                mark(format, reader);
            }
        }
        recognised |= taken;
        if taken {
            last = Some(page(object));
        }
        if !taken && keys.len() < 8 {
            keys.extend(object.keys().take(8).map(str::to_owned));
        }
        taken
    });
    match defect {
        Some((offset, reason)) if reader.letters() == letters => {
            let reason = format!("is broken: {reason}; what is whole in it was used");
            reader.letter(offset, &path, reason);
        }
        None if !recognised => {
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            let reason = format!(
                "is no inventory that is known; it holds `{}`",
                keys.join("`, `")
            );
            reader.letter(value.offset, &path, reason);
        }
        _ => {}
    }
    last
}

/// Notes which accounts the format was read for.
fn mark(format: &FormatFile, reader: &mut Reader<'_>) {
    for account in reader.take_accounts() {
        reader.mark(&account, format.id);
        for covered in format.covers {
            reader.mark(&account, covered);
        }
    }
}

/// What the wrapping of an export says of it.
#[derive(Clone, Default)]
struct Hint {
    account: Option<String>,
    region: Option<String>,
}

/// Shows an object to `take`, and where it is not taken what is inside it: the elements of a list,
/// the objects and lists in an object, up to three levels down. Account and region that stand on
/// the way hold for what is inside.
fn visit(
    value: Json<'_>,
    path: String,
    depth: usize,
    take: &mut dyn FnMut(&Object<'_>, &Hint) -> bool,
) {
    visit_with(value, path, depth, &Hint::default(), take);
}

fn visit_with(
    value: Json<'_>,
    path: String,
    depth: usize,
    outer: &Hint,
    take: &mut dyn FnMut(&Object<'_>, &Hint) -> bool,
) {
    if depth > WRAPPINGS {
        return;
    }
    if value.is_array() {
        for (index, element) in value.elements().enumerate() {
            visit_with(element, format!("{path}[{index}]"), depth + 1, outer, take);
        }
        return;
    }
    if !value.is_object() {
        return;
    }
    let object = Object::new(value, path);
    if LOG_MEMBERS.iter().any(|member| object.has(member)) {
        return;
    }
    let text = |names: &[&str]| {
        let found = names.iter().find_map(|name| object.get(name)?.scalar());
        found.map(Cow::into_owned)
    };
    let account = text(&["Account", "AccountId", "account", "account_id", "accountId"])
        .filter(|account| arn::is_account(account));
    let hint = Hint {
        account: account.or_else(|| outer.account.clone()),
        region: text(&["Region", "region"]).or_else(|| outer.region.clone()),
    };
    if take(&object, &hint) {
        return;
    }
    for (key, inner) in object.members() {
        let mut hint = hint.clone();
        if arn::is_account(key) {
            hint.account = Some(key.to_owned());
        }
        let path = format!("{}.{key}", object.path);
        visit_with(inner, path, depth + 1, &hint, take);
    }
}

/// The text of a file: UTF-8, or UTF-16 with its byte order mark, as PowerShell writes it. Bytes
/// that are neither are replaced.
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let wide = |pair: fn([u8; 2]) -> u16| {
        let pairs = bytes.get(2..).unwrap_or_default().chunks_exact(2);
        let units: Vec<u16> = pairs.map(|unit| pair([unit[0], unit[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match bytes {
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        _ => String::from_utf8_lossy(bytes),
    }
}
